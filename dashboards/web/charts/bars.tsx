import { formatNumber, formatShare, say } from '../words/language.ts';
import { DataTable } from './data-table.tsx';
import type { Line } from './figures.ts';

/** From this many lines on, bars are drawn small, and beside each other where there is room. */
const MANY = 8;

export interface Bar {
  readonly key: string;
  readonly label: string;
  /** The length, 0 to 1; null: not to be seen. */
  readonly part: number | null;
  /** What is written at its end, the more important first. */
  readonly figures: readonly string[];
  /** Leads, wins, was right; or is out of it. */
  readonly mark?: 'lead' | 'won' | 'right' | 'wrong' | 'out' | undefined;
}

const SIGNS = { lead: '▲', won: '★', right: '✓', wrong: '✗', out: '–' } as const;

/** A bar for each line; who does not see them has a table. */
export function Bars({
  caption,
  bars,
  columns,
}: {
  caption: string;
  bars: readonly Bar[];
  columns: readonly string[];
}) {
  return (
    <div class="chart">
      <ol class="bars" data-many={bars.length >= MANY || undefined} aria-hidden="true">
        {bars.map(({ key, label, part, figures, mark }) => (
          <li key={key} data-mark={mark}>
            <span class="label">
              {key !== label && <span class="key">{key}</span>}
              <span dir="auto">{label}</span>
            </span>
            <span class="value">
              {mark && <span class="sign">{SIGNS[mark]}</span>}
              {figures.map((figure, i) => (
                <span key={i === 0 ? 'first' : 'more'} class={i === 0 ? 'first' : 'more'}>
                  {figure}
                </span>
              ))}
            </span>
            <span class="track">
              <span class="fill" style={{ transform: `scaleX(${part ?? 0})` }} />
            </span>
          </li>
        ))}
      </ol>
      <DataTable
        caption={caption}
        columns={columns}
        rows={bars.map(({ label, figures, mark }) => [
          label,
          ...columns.slice(1, columns.length - 1).map((_, i) => figures[i] ?? null),
          mark ? say(`mark.${mark}`) : '',
        ])}
      />
    </div>
  );
}

/** Bars of a result's options: their shares and counts. @param hasLeader the longest bar is ahead, and not only the longest */
export function optionBars(
  lines: readonly Line[],
  winners: readonly string[],
  { isFinal, hasLeader }: { isFinal: boolean; hasLeader: boolean },
): Bar[] {
  const most = Math.max(0, ...lines.map(({ count }) => count ?? 0));
  const isQuiz = lines.some(({ correct }) => correct !== undefined);
  return lines.map(({ key, label, count, share, weight, correct, mean, voters }) => {
    const figures = count === null ? [] : [formatShare(share ?? 0), weight ?? formatNumber(count)];
    if (mean !== undefined && mean !== null) figures[0] = `⌀ ${formatNumber(mean, 2)}`;
    if (voters !== undefined && count !== null) figures[0] = formatNumber(count);
    if (voters !== undefined && count !== null) figures[1] = formatShare(share ?? 0);
    const isWinner = isFinal && winners.includes(key);
    const leads = hasLeader && count !== null && count > 0 && count === most;
    const mark = isQuiz ? (correct ? 'right' : 'wrong') : isWinner ? 'won' : leads ? 'lead' : undefined;
    return { key, label, part: share, figures, mark };
  });
}
