import { useState } from 'preact/hooks';
import type { PollAnswer } from '../../../../client/answers.ts';
import { useAttempt, useDesk } from '../context.ts';
import { tell } from '../words.ts';

/** Buttons that open, close, reopen, edit or delete a poll, as its status allows. */
export function PollActions({ poll, onDone }: { poll: PollAnswer; onDone: () => Promise<void> }) {
  const { api } = useDesk();
  const attempt = useAttempt();
  const [isBusy, setBusy] = useState(false);
  const { poll: id, status } = poll;
  const act = async (work: () => Promise<unknown>) => {
    setBusy(true);
    await attempt(work);
    await onDone();
    setBusy(false);
  };
  const remove = () => {
    if (confirm(tell('poll.deleteSure', { poll: id }))) void act(() => api.deletePoll(id));
  };
  const step = (name: 'open' | 'close' | 'reopen') => (
    <button
      type="button"
      class={name === 'close' ? 'stop' : 'send'}
      disabled={isBusy}
      onClick={() => void act(() => api.step(id, name))}
    >
      {tell(`poll.${name}`)}
    </button>
  );
  return (
    <div class="actions">
      {status === 'draft' && step('open')}
      {(status === 'open' || status === 'grace' || status === 'closing') && step('close')}
      {status === 'closed' && step('reopen')}
      {status === 'draft' && (
        <a class="quiet" href={`#/polls/${encodeURIComponent(id)}/edit`}>
          {tell('poll.edit')}
        </a>
      )}
      <a class="quiet" href={`/screen/${encodeURIComponent(id)}`} target="_blank" rel="noreferrer">
        {tell('poll.screen')}
      </a>
      {(status === 'draft' || status === 'closed') && (
        <button type="button" class="quiet" disabled={isBusy} onClick={remove}>
          {tell('poll.delete')}
        </button>
      )}
    </div>
  );
}
