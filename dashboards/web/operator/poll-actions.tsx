import { useState } from 'preact/hooks';
import { type PollInfo, pollPath } from './api.ts';
import { useAttempt, useDesk } from './context.ts';
import { tell } from './words.ts';

/** Opens, closes, reopens, edits and deletes a poll, whatever its status allows. */
export function PollActions({ poll, onDone }: { poll: PollInfo; onDone: () => Promise<void> }) {
  const { api } = useDesk();
  const attempt = useAttempt();
  const [isBusy, setBusy] = useState(false);
  const { poll: id, status } = poll;
  const act = async (method: string, path: string) => {
    setBusy(true);
    await attempt(() => api.call(method, path));
    await onDone();
    setBusy(false);
  };
  const remove = () => {
    if (confirm(tell('poll.deleteSure', { poll: id }))) void act('DELETE', pollPath(id));
  };
  const step = (name: 'open' | 'close' | 'reopen') => (
    <button
      type="button"
      class={name === 'close' ? 'stop' : 'send'}
      disabled={isBusy}
      onClick={() => void act('POST', `${pollPath(id)}/${name}`)}
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
