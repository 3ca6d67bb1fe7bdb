import type { Result } from './result.ts';

/** The options between which a lot must decide, because nothing else does; empty if there are none. */
export function undecidedIn(result: Result): readonly string[] {
  if (result.hidden) return [];
  const { winners = [], tied = [], unresolved } = result;
  return unresolved ?? (winners.length > 1 && tied.length > 1 && !result.tieBrokenBy ? tied : []);
}
