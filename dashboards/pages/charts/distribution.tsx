import type { OptionResult } from '../../../core/voting/kinds/figures/option-result.ts';
import { formatShare, say } from '../words/language.ts';
import { OptionTable } from './table/option-table.tsx';

/** If there are more columns than this, only some of them have a label. */
const MANY = 14;

/** How answers are distributed: a column for each grade, or for each interval of numbers. */
export function Distribution({ caption, lines }: { caption: string; lines: readonly OptionResult[] }) {
  const most = Math.max(1, ...lines.map(({ count }) => count ?? 0));
  const step = Math.ceil(lines.length / MANY);
  return (
    <div class="chart">
      <ol class="columns" data-narrow={lines.length > 6 || undefined} aria-hidden="true">
        {lines.map(({ key, label, count, share }, i) => (
          <li key={key} data-mark={count !== null && count > 0 && count === most ? 'lead' : undefined}>
            <span class="value">{count === null || lines.length > MANY ? '' : formatShare(share ?? 0)}</span>
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
      <OptionTable caption={caption} heading={say('table.answer')} lines={lines} />
    </div>
  );
}
