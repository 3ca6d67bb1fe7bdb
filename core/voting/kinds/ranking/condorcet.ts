import { leadersOf, type TieBreaker } from '../../rules/tie.ts';
import { formatWeight, ONE, type Weight } from '../../rules/weight.ts';
import type { Election } from './ballots.ts';

/** More ballots prefer `over` to `under` than `under` to `over`. */
interface Majority {
  readonly over: number;
  readonly under: number;
  readonly votes: Weight;
  readonly against: Weight;
}

/**
 * The Condorcet winner beats every other option one-on-one. If no option does, ranked pairs decides (Tideman, "Independence of
 * clones as a criterion for voting rules", 1987): majorities are locked in one after another, unless they contradict those
 * already locked in. The majority with the most votes comes first; of majorities with equally many votes, the one with the
 * fewest votes against it. The option that no locked majority beats wins. On a ballot, ranked options beat unranked options;
 * unranked options are not compared with each other. Equally strong majorities are locked in together, except those that
 * contradict each other; with a tie-breaker, they are locked in one by one.
 */
export function condorcet({ keys, rankings, definition }: Election, breaker: TieBreaker | undefined) {
  const n = keys.length;
  const votes = preferences(n, rankings);
  const pairs: Majority[] = [];
  for (let over = 0; over < n; over++) {
    for (let under = 0; under < n; under++) {
      const [votesFor, against] = [votes[over]?.[under] ?? 0n, votes[under]?.[over] ?? 0n];
      if (votesFor > against) pairs.push({ over, under, votes: votesFor, against });
    }
  }
  const name = (option: number) => keys[option] as string;
  const figure = (weight: Weight) => (definition.weighted ? formatWeight(weight) : Number(weight / ONE));
  const hasBallots = rankings.length > 0;
  const champion = keys.findIndex((_, option) => pairs.filter(({ over }) => over === option).length === n - 1);
  const matrix = keys.map((_, row) =>
    keys.map((_, column) => (row === column ? null : figure(votes[row]?.[column] ?? 0n))),
  );
  const found = { matrix, condorcetWinner: champion === -1 ? null : name(champion) };
  if (champion !== -1) return { ...found, completed: false, winners: [name(champion)] };
  const locked = lock(pairs, n, breaker && ((option: number) => breaker.place(name(option))));
  const unbeaten = keys.filter((_, option) => hasBallots && !locked.some(({ under }) => under === option));
  return {
    ...found,
    completed: true,
    locked: locked.map(({ over, under, votes }) => ({ over: name(over), under: name(under), votes: figure(votes) })),
    ...leadersOf(
      unbeaten.map((key) => [key, 1n] as const),
      breaker,
    ),
  };
}

/** The votes that prefer the option of the row to the option of the column. */
function preferences(n: number, rankings: Election['rankings']): Weight[][] {
  const votes = Array.from({ length: n }, () => new Array<Weight>(n).fill(0n));
  for (const { ranks, weight } of rankings) {
    const below = new Set(Array.from({ length: n }, (_, option) => option));
    for (const over of ranks) {
      below.delete(over);
      const row = votes[over] as Weight[];
      for (const under of below) row[under] = (row[under] as Weight) + weight;
    }
  }
  return votes;
}

function lock(pairs: readonly Majority[], n: number, place: ((option: number) => number) | undefined): Majority[] {
  const byStrength = (a: Majority, b: Majority) => compare(b.votes, a.votes) || compare(a.against, b.against);
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

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
