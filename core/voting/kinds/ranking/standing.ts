/**
 * The order of options by their votes now and, where those are equal, by their votes in the latest earlier round in which they
 * differed. Each option has a place, counted from 0 for the fewest votes; level options share one.
 */
export type Standing = readonly number[];

/** The standing before any votes are counted: all options are level. */
export function noStanding(options: number): Standing {
  return new Array(options).fill(0);
}

/** The standing after a round. @param votes the votes of each option in this round */
export function nextStanding(before: Standing, votes: readonly bigint[]): Standing {
  const compare = (a: number, b: number) =>
    compareVotes(votes[a] ?? 0n, votes[b] ?? 0n) || (before[a] ?? 0) - (before[b] ?? 0);
  const sorted = [...votes.keys()].sort(compare);
  const next = new Array<number>(votes.length);
  for (const [i, option] of sorted.entries()) {
    const below = sorted[i - 1];
    const place = below === undefined ? 0 : (next[below] as number) + (compare(below, option) === 0 ? 0 : 1);
    next[option] = place;
  }
  return next;
}

/** The options with the lowest or highest place. */
export function lastOf(options: readonly number[], standing: Standing, which: 'most' | 'least'): number[] {
  const places = options.map((option) => standing[option] ?? 0);
  const end = which === 'most' ? Math.max(...places) : Math.min(...places);
  return options.filter((option) => standing[option] === end);
}

/** Compares two numbers of votes, for sorting. */
export function compareVotes(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
