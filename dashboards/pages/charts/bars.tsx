import { say } from '../words/language.ts';
import { DataTable } from './table/data-table.tsx';

/** If there are this many bars or more, they are drawn smaller, and in two columns if there is space. */
const MANY = 8;

export interface Bar {
  readonly key: string;
  readonly label: string;
  /** The length, 0 to 1; null while results are hidden. */
  readonly part: number | null;
  /** The figures at the end of the bar, the most important first. */
  readonly figures: readonly string[];
  /** How the bar is highlighted; `out` means eliminated. */
  readonly mark?: 'lead' | 'won' | 'right' | 'wrong' | 'out' | undefined;
}

const SIGNS = { lead: '▲', won: '★', right: '✓', wrong: '✗', out: '–' } as const;

/** A bar chart, and a table with the same figures for screen readers. */
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
