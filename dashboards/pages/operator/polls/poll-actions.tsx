import { useState } from 'preact/hooks';
import type { PollAnswer } from '../../../../client/answers.ts';
import { useAttempt, useDesk } from '../context.ts';
import { tell } from '../words.ts';
import { screenPath } from './showing/screen-path.ts';

/** How long in ms buttons stay disabled after a step, so that a double click does not press the button that follows. */
const SETTLE_MS = 500;

/** Buttons that open, close, continue, edit or delete a poll, as its status allows. */
export function PollActions({ poll, onDone }: { poll: PollAnswer; onDone: () => Promise<void> }) {
  const { api, may } = useDesk();
  const attempt = useAttempt();
  const [isBusy, setBusy] = useState(false);
  const { poll: id, status, title, round, secrecy } = poll;
  const act = async (work: () => Promise<unknown>) => {
    setBusy(true);
    await attempt(work);
    await onDone();
    setTimeout(() => setBusy(false), SETTLE_MS);
  };
  const remove = () => {
    if (confirm(tell('poll.deleteSure', { poll: id }))) void act(() => api.deletePoll(id));
  };
  /** @param sure what will happen, if the operator has to confirm it */
  const step = (name: 'open' | 'close' | 'reopen' | 'continue', sure?: string) =>
    may(`poll.${name}`, poll) && (
      <button
        type="button"
        class={{ open: 'send', close: 'stop', reopen: 'quiet', continue: 'quiet' }[name]}
        disabled={isBusy}
        onClick={() => (sure === undefined || confirm(sure)) && void act(() => api.step(id, name))}
      >
        {tell(`poll.${name}`)}
      </button>
    );
  return (
    <div class="actions">
      {status === 'draft' && step('open')}
      {(status === 'open' || status === 'grace' || status === 'closing') && step('close')}
      {status === 'closed' && (
        <>
          {step('reopen', tell('poll.reopenSure', { title, n: round, next: round + 1 }))}
          {/* The key that recognises who has voted is destroyed when a secret round closes. */}
          {secrecy !== 'secret' && step('continue', tell('poll.continueSure', { title, n: round }))}
        </>
      )}
      {status === 'draft' && may('poll.edit', poll) && (
        <a class="quiet" href={`#/polls/${encodeURIComponent(id)}/edit`}>
          {tell('poll.edit')}
        </a>
      )}
      <a class="quiet" href={screenPath(poll)} target="_blank" rel="noreferrer">
        {tell('poll.screen')}
      </a>
      {(status === 'draft' || status === 'closed') && may('poll.delete', poll) && (
        <button type="button" class="quiet" disabled={isBusy} onClick={remove}>
          {tell('poll.delete')}
        </button>
      )}
    </div>
  );
}
