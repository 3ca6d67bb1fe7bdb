import type { TieBreaker } from '../../../rules/tie.ts';
import type { Weight } from '../../../rules/weight.ts';
import type { Election } from '../ballots.ts';
import { compareVotes } from '../standing.ts';
import { type Majority, majoritiesOf } from './matrix.ts';

/**
 * Ranked pairs (Tideman, "Independence of clones as a criterion for voting rules", 1987): majorities are locked in one after
 * another, unless they contradict those already locked in. The majority with the most votes comes first; of majorities with
 * equally many votes, the one with the fewest votes against it. The options that no locked majority beats win. Equally strong
 * majorities are locked in together, except those that contradict each other; with a tie-breaker, they are locked in one by one.
 */
export function rankedPairs(
  { keys, candidates }: Election,
  votes: readonly (readonly Weight[])[],
  breaker: TieBreaker | undefined,
): { locked: readonly Majority[]; unbeaten: readonly number[] } {
  const order = breaker?.order(candidates.map((option) => keys[option] as string));
  const places = order && new Map(order.map((key, place) => [keys.indexOf(key), place]));
  const locked = lock(majoritiesOf(candidates, votes), keys.length, places && ((option) => places.get(option) ?? 0));
  return { locked, unbeaten: candidates.filter((option) => !locked.some(({ under }) => under === option)) };
}

function lock(pairs: readonly Majority[], n: number, place: ((option: number) => number) | undefined): Majority[] {
  const byStrength = (a: Majority, b: Majority) => compareVotes(b.votes, a.votes) || compareVotes(a.against, b.against);
  const sorted = pairs.toSorted((a, b) => {
    if (byStrength(a, b) !== 0 || !place) return byStrength(a, b);
    // Equally strong: the majority whose winner the tie-breaker favours more comes first, then the majority whose loser it
    // favours less.
    return place(a.over) - place(b.over) || place(b.under) - place(a.under);
  });
  const locked: Majority[] = [];
  /** For each option, the options that it is locked above. */
  const below: number[][] = Array.from({ length: n }, () => []);
  while (sorted.length > 0) {
    const first = sorted[0] as Majority;
    const equal = place ? 1 : sorted.filter((pair) => byStrength(first, pair) === 0).length;
    const free = sorted.splice(0, equal).filter(({ over, under }) => !leadsTo(below, under, over));
    const together = below.map((under) => [...under]);
    for (const { over, under } of free) together[over]?.push(under);
    for (const pair of free) {
      if (leadsTo(together, pair.under, pair.over)) continue;
      locked.push(pair);
      below[pair.over]?.push(pair.under);
    }
  }
  return locked;
}

/** True when a chain of majorities leads from one option to another. */
function leadsTo(below: readonly (readonly number[])[], from: number, to: number): boolean {
  const seen = new Set<number>();
  const pending = [from];
  for (let option = pending.pop(); option !== undefined; option = pending.pop()) {
    if (option === to) return true;
    if (seen.has(option)) continue;
    seen.add(option);
    pending.push(...(below[option] ?? []));
  }
  return false;
}
