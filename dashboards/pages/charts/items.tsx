import type { ItemRating } from '../../../core/voting/kinds/rating/figures.ts';
import { formatNumber, say } from '../words/language.ts';
import { DataTable } from './table/data-table.tsx';

/** Several rated items: the mean of each on a common scale, and the distribution of its grades. */
export function Items({
  caption,
  items,
  min,
  max,
}: {
  caption: string;
  items: readonly ItemRating[];
  min: number;
  max: number;
}) {
  return (
    <div class="chart">
      <ol class="items" aria-hidden="true">
        {items.map(({ key, label, mean, n, options }) => {
          const most = Math.max(1, ...options.map(({ count }) => count ?? 0));
          return (
            <li key={key}>
              <span class="label" dir="auto">
                {label}
              </span>
              <span class="spread">
                {options.map((option) => (
                  <span
                    key={option.key}
                    style={{ transform: `scaleY(${Math.max(0.03, (option.count ?? 0) / most)})` }}
                  />
                ))}
              </span>
              <span class="value">
                {mean === null ? '–' : formatNumber(mean, 2)} <small>({formatNumber(n)})</small>
              </span>
              <span class="track">
                <span class="fill" style={{ transform: `scaleX(${mean === null ? 0 : (mean - min) / (max - min)})` }} />
              </span>
            </li>
          );
        })}
      </ol>
      <DataTable
        caption={caption}
        columns={[say('table.item'), say('fact.mean'), say('fact.median'), say('table.count')]}
        rows={items.map(({ label, mean, median, n }) => [
          label,
          mean === null ? null : formatNumber(mean, 2),
          median === null ? null : formatNumber(median, 2),
          formatNumber(n),
        ])}
      />
    </div>
  );
}
