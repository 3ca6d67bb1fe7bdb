import type { QuizLine } from '../../../core/voting/kinds/quiz/figures.ts';
import { formatNumber, say } from '../words/language.ts';
import { OptionTable } from './table/option-table.tsx';

/** The maximum number of phrases drawn; the table lists every phrase in the result. */
const MOST_DRAWN = 40;

/** If there are this many phrases or fewer, all are drawn larger. */
const FEW = 10;

/** Phrases, the most frequent first and largest. */
export function Cloud({ caption, lines }: { caption: string; lines: readonly QuizLine[] }) {
  const most = Math.max(1, ...lines.map(({ count }) => count ?? 0));
  const drawn = lines.filter(({ count }) => count !== null).slice(0, MOST_DRAWN);
  return (
    <div class="chart">
      {drawn.length === 0 && <p class="what">{say('cloud.empty')}</p>}
      <ul class="cloud" data-few={drawn.length <= FEW || undefined} aria-hidden="true">
        {drawn.map(({ key, label, count, correct }) => (
          <li
            key={key}
            dir="auto"
            data-mark={correct ? 'right' : undefined}
            style={{ fontSize: `${1 + 2 * Math.sqrt((count ?? 0) / most)}em` }}
          >
            {correct && '✓ '}
            {label}
            <small>{formatNumber(count ?? 0)}</small>
          </li>
        ))}
      </ul>
      <OptionTable caption={caption} heading={say('table.phrase')} lines={lines} />
    </div>
  );
}
