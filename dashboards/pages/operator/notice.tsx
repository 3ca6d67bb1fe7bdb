import { ApiError } from '../../../client/api.ts';
import { tell } from './words.ts';

export interface Notice {
  readonly text: string;
  readonly problems?: readonly string[];
  readonly isBad: boolean;
}

/** The notice for an error. */
export function noticeOf(error: unknown): Notice {
  if (!(error instanceof ApiError)) return { text: String(error), isBad: true };
  return { text: error.status === 0 ? tell('error.away') : error.message, problems: error.problems, isBad: true };
}

/** What an action has come to, until the operator dismisses it. */
export function NoticeBox({
  notice: { text, problems = [], isBad },
  onClose,
}: {
  notice: Notice;
  onClose: () => void;
}) {
  return (
    <div class="notice" data-bad={isBad || undefined}>
      <p>
        <span aria-hidden="true">{isBad ? '⚠ ' : '✓ '}</span>
        {text}
      </p>
      {problems.length > 0 && (
        <ul>
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
      <button type="button" class="quiet" onClick={onClose}>
        {tell('close.notice')}
      </button>
    </div>
  );
}
