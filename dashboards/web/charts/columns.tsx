import { formatNumber, formatShare, say } from '../words/language.ts';
import { DataTable } from './data-table.tsx';
import type { Line } from './figures.ts';

/** From this many columns on, only every second or third is named. */
const MANY = 14;

/** How answers are spread: a column for each grade, or for each stretch of numbers. */
export function Columns({ caption, lines, isSmall }: { caption: string; lines: readonly Line[]; isSmall?: boolean }) {
  const most = Math.max(1, ...lines.map(({ count }) => count ?? 0));
  const step = Math.ceil(lines.length / MANY);
  return (
    <div class="chart">
      <ol
        class="columns"
        data-small={isSmall || undefined}
        data-narrow={lines.length > 6 || undefined}
        aria-hidden="true"
      >
        {lines.map(({ key, label, count, share }, i) => (
          <li key={key} data-mark={count !== null && count > 0 && count === most ? 'lead' : undefined}>
            {!isSmall && (
              <span class="value">{count === null || lines.length > MANY ? '' : formatShare(share ?? 0)}</span>
            )}
            <span class="track">
              <span class="fill" style={{ transform: `scaleY(${(count ?? 0) / most})` }} />
            </span>
            <span class="label" dir="auto" data-every={i % 3 === 0 || undefined}>
              <span class="full">{i % step === 0 ? label : ''}</span>
              <span class="short">{i % step === 0 ? label.split(' – ')[0] : ''}</span>
            </span>
          </li>
        ))}
      </ol>
      <DataTable
        caption={caption}
        columns={[say('table.answer'), say('table.count'), say('table.share')]}
        rows={lines.map(({ label, count, share }) => [
          label,
          count === null ? null : formatNumber(count),
          share === null ? null : formatShare(share),
        ])}
      />
    </div>
  );
}

/** The figures of numbers or grades, beside their columns. */
export function Facts({
  facts,
}: {
  facts: readonly (readonly [name: string, value: number | null | undefined, digits?: number])[];
}) {
  const known = facts.filter(([, value]) => value !== null && value !== undefined);
  if (known.length === 0) return null;
  return (
    <dl class="facts">
      {known.map(([name, value, digits = 2]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{formatNumber(value as number, digits)}</dd>
        </div>
      ))}
    </dl>
  );
}
