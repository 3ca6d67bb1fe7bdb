import { formatNumber, formatShare, say } from '../words/language.ts';
import { DataTable } from './data-table.tsx';
import type { Line } from './figures.ts';

/** Phrases that are drawn, at most; the table has all that the result tells. */
const MOST_DRAWN = 40;

/** Up to so many, all of them are drawn larger. */
const FEW = 10;

/** Phrases, larger the more voters sent them, the most first. */
export function Cloud({ caption, lines }: { caption: string; lines: readonly Line[] }) {
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
      <DataTable
        caption={caption}
        columns={[say('table.phrase'), say('table.count'), say('table.share')]}
        rows={lines.map(({ label, count, share }) => [
          label,
          count === null ? null : formatNumber(count),
          share === null ? null : formatShare(share),
        ])}
      />
    </div>
  );
}
