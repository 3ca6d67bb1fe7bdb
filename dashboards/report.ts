import type { OptionResult } from '../core/voting/kinds/kind.ts';
import type { Result } from '../core/voting/result.ts';
import { BOM, csvLine } from './csv.ts';

const COLUMNS = ['poll', 'round', 'status', 'group', 'option', 'label', 'count', 'weight', 'share', 'ballots', 'at'];

/** Results of rounds as CSV: a line for each option, of the whole and of each group. */
export function reportLines(results: readonly Result[]): string {
  return BOM + csvLine(COLUMNS) + results.flatMap(linesOf).join('');
}

function linesOf(result: Result): string[] {
  const { poll, round, status, final, ballots, options, groups = [], at } = result;
  const state = final ? 'final' : status;
  const lines = (group: string, of: readonly OptionResult[], cast: number | null) =>
    of.map(({ key, label, count, weight, share }) =>
      csvLine([poll, round, state, group, key, label, count, weight, share, cast, at]),
    );
  const others = groups.flatMap(({ group, options, ballots }) => lines(group ?? '(others)', options, ballots));
  return [...lines('', options, ballots), ...others];
}
