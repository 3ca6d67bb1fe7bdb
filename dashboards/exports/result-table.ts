import { BOM, type Cell, csvRows } from '../../core/runtime/csv.ts';
import type { OptionResult } from '../../core/voting/kinds/figures/option-result.ts';
import type { Result } from '../../core/voting/result/result.ts';

const COLUMNS = ['poll', 'round', 'status', 'group', 'option', 'label', 'count', 'weight', 'share', 'ballots', 'at'];

/** The results of rounds as CSV: one row per option, in total and for each group. */
export function resultTable(results: readonly Result[]): string {
  return BOM + csvRows([COLUMNS, ...results.flatMap(rowsOf)]);
}

function rowsOf(result: Result): Cell[][] {
  const { poll, round, status, final, ballots, options, at } = result;
  const state = final ? 'final' : status;
  const rows = (group: string, of: readonly OptionResult[], cast: number | null) =>
    of.map(({ key, label, count, weight, share }) => [
      poll,
      round,
      state,
      group,
      key,
      label,
      count,
      weight,
      share,
      cast,
      at,
    ]);
  const groups = result.hidden ? [] : (result.groups ?? []);
  const byGroup = groups.flatMap(({ group, options: own, ballots: cast }) => rows(group ?? '(others)', own, cast));
  return [...rows('', options, ballots), ...byGroup];
}
