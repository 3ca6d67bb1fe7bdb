import type { OptionResult } from '../../../../core/voting/kinds/figures/option-result.ts';
import { formatNumber, formatShare, say } from '../../words/language.ts';
import { DataTable } from './data-table.tsx';

interface OptionTableProps {
  readonly caption: string;
  /** The heading of the column with the labels. */
  readonly heading: string;
  readonly lines: readonly OptionResult[];
}

/** The count and share of each option, for screen readers. */
export function OptionTable({ caption, heading, lines }: OptionTableProps) {
  return (
    <DataTable
      caption={caption}
      columns={[heading, say('table.count'), say('table.share')]}
      rows={lines.map(({ label, count, share }) => [
        label,
        count === null ? null : formatNumber(count),
        share === null ? null : formatShare(share),
      ])}
    />
  );
}
