import type { OpenResult, Result } from './result.ts';

/** The options between which a lot must decide, because nothing else does; empty if there are none. */
export function undecidedIn(result: Result): readonly string[] {
  if (result.hidden) return [];
  const { winners = [], tied = [], unresolved } = result;
  return unresolved ?? (winners.length > 1 && tied.length > 1 && !result.tieBrokenBy ? tied : []);
}

/** The options that have won whatever a lot may still decide; while a result is not final, those that lead. */
export function winnersIn(result: Pick<OpenResult, 'final' | 'winners' | 'tied' | 'unresolved' | 'tieBrokenBy'>) {
  const { final, winners = [], unresolved, tieBrokenBy } = result;
  const isOpenTie = final && winners.length > 1 && unresolved === undefined && tieBrokenBy === undefined;
  return isOpenTie && result.tied !== undefined ? [] : winners;
}
