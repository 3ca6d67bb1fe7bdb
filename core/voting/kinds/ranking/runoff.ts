import { favoured, type TieBreaker } from '../../rules/tie.ts';
import type { Weight } from '../../rules/weight.ts';
import { ballotSumOf, type Election, type Ranking } from './ballots.ts';
import type { RunoffRound } from './figures.ts';

/**
 * Instant-runoff voting (alternative vote). Until an option has more than half of the ballots that are not exhausted, the
 * option with the fewest ballots is eliminated, and its ballots go to their next preferences. Options tied for last place are
 * eliminated together if they have fewer ballots together than any other option, because the order then does not matter. Other
 * ties are decided by the tie-breaker. If none was declared, the count ends: if all remaining options are tied, all of them
 * win; otherwise, `winners` is empty and `unresolved` names the tied options.
 */
export function instantRunoff({ keys, rankings, definition }: Election, breaker: TieBreaker | undefined) {
  let piles: Ranking[][] = keys.map(() => []);
  let left = new Set(keys.keys());
  const spent = { heads: 0, weight: 0n };
  const rounds: RunoffRound[] = [];
  const deal = (ballots: readonly Ranking[]) => {
    for (const ballot of ballots) {
      const next = ballot.ranks.find((option) => left.has(option));
      if (next !== undefined) piles[next]?.push(ballot);
      else {
        spent.heads += ballot.heads;
        spent.weight += ballot.weight;
      }
    }
  };
  const name = (options: readonly number[]) => options.map((option) => keys[option] as string);
  deal(rankings);

  for (;;) {
    const sums = new Map([...left].map((option) => [option, sumOf(piles[option] ?? [])]));
    const weightOf = (option: number): Weight => sums.get(option)?.weight ?? 0n;
    const total = [...left].reduce((sum, option) => sum + weightOf(option), 0n);
    const round = (eliminated: readonly number[], tied: readonly number[] = []): RunoffRound => ({
      counts: [...sums].map(([option, { heads, weight }]) => ({
        key: keys[option] as string,
        ...ballotSumOf(heads, weight, definition),
      })),
      exhausted: ballotSumOf(spent.heads, spent.weight, definition),
      eliminated: name(eliminated),
      ...(tied.length > 1 ? { tied: name(tied) } : {}),
    });
    if (total === 0n) return { rounds: [...rounds, round([])], winners: [] as string[] };

    const best = [...left].reduce((a, b) => (weightOf(b) > weightOf(a) ? b : a));
    if (2n * weightOf(best) > total) return { rounds: [...rounds, round([])], winners: name([best]) };
    const out = losersOf([...left], weightOf);
    const together = out.length === left.size;
    if (out.length === 1 || (!together && canBeEliminatedTogether(out, [...left], weightOf))) {
      rounds.push(round(out));
      eliminate(out);
      continue;
    }
    if (!breaker) {
      const tied = name(out);
      rounds.push(round([], out));
      return together ? { rounds, winners: tied, tied } : { rounds, winners: [] as string[], unresolved: tied };
    }
    if (together) {
      const tied = name(out);
      return { rounds: [...rounds, round([], out)], winners: [favoured(tied, breaker)], tied, tieBrokenBy: breaker.by };
    }
    const loser = out.reduce((a, b) => (breaker.place(keys[b] as string) > breaker.place(keys[a] as string) ? b : a));
    rounds.push(round([loser], out));
    eliminate([loser]);
  }

  function eliminate(options: readonly number[]): void {
    left = new Set([...left].filter((option) => !options.includes(option)));
    const loose = options.flatMap((option) => piles[option] ?? []);
    piles = piles.map((pile, option) => (left.has(option) ? pile : []));
    deal(loose);
  }
}

function sumOf(pile: readonly Ranking[]): { heads: number; weight: Weight } {
  let heads = 0;
  let weight = 0n;
  for (const ballot of pile) {
    heads += ballot.heads;
    weight += ballot.weight;
  }
  return { heads, weight };
}

/** The options with the fewest votes. */
function losersOf(options: readonly number[], weightOf: (option: number) => Weight): number[] {
  const [last = 0] = options.toSorted((a, b) => (weightOf(a) < weightOf(b) ? -1 : 1));
  return options.filter((option) => weightOf(option) === weightOf(last));
}

/**
 * True when the options in last place together have fewer votes than any other option. Eliminating them
 * in any order then has the same outcome.
 */
function canBeEliminatedTogether(
  out: readonly number[],
  all: readonly number[],
  weightOf: (option: number) => Weight,
): boolean {
  const together = out.reduce((sum, option) => sum + weightOf(option), 0n);
  return all.every((option) => out.includes(option) || weightOf(option) > together);
}
