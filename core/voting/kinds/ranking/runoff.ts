import { favoured, type TieBreaker } from '../../tie.ts';
import type { Weight } from '../../weight.ts';
import { type Election, figureOf, type Ranking } from './ballots.ts';

interface Round {
  readonly counts: readonly { readonly key: string; readonly count: number; readonly weight?: string }[];
  /** Ballots that rank nobody who is left. */
  readonly exhausted: { readonly count: number; readonly weight?: string };
  readonly eliminated: readonly string[];
  /** Those that were last together, where it mattered which goes. */
  readonly tied?: readonly string[];
}

/**
 * Instant-runoff (alternative vote): as long as nobody has more than half of the ballots that still name somebody, the
 * last is eliminated and the ballots go to their next preference. Several go at once only where that changes nothing:
 * together they have less than the next one. Where those that are last are tied and no tie-breaker was declared, the count
 * ends there: `winners` is empty and `unresolved` names them.
 */
export function instantRunoff({ keys, rankings, definition }: Election, breaker: TieBreaker | undefined) {
  let piles: Ranking[][] = keys.map(() => []);
  let left = new Set(keys.keys());
  const spent = { heads: 0, weight: 0n };
  const rounds: Round[] = [];
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
    const round = (eliminated: readonly number[], tied: readonly number[] = []): Round => ({
      counts: [...sums].map(([option, { heads, weight }]) => ({
        key: keys[option] as string,
        ...figureOf(heads, weight, definition),
      })),
      exhausted: figureOf(spent.heads, spent.weight, definition),
      eliminated: name(eliminated),
      ...(tied.length > 1 ? { tied: name(tied) } : {}),
    });
    if (total === 0n) return { rounds: [...rounds, round([])], winners: [] as string[] };

    const best = [...left].reduce((a, b) => (weightOf(b) > weightOf(a) ? b : a));
    if (2n * weightOf(best) > total) return { rounds: [...rounds, round([])], winners: name([best]) };
    const out = losersOf([...left], weightOf);
    const together = out.length === left.size;
    if (out.length === 1 || (!together && isHarmless(out, [...left], weightOf))) {
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

/** The options with the least. */
function losersOf(options: readonly number[], weightOf: (option: number) => Weight): number[] {
  const [last = 0] = options.toSorted((a, b) => (weightOf(a) < weightOf(b) ? -1 : 1));
  return options.filter((option) => weightOf(option) === weightOf(last));
}

/** True when those that are last together have less than the next one: in whatever order they go, all of them go. */
function isHarmless(out: readonly number[], all: readonly number[], weightOf: (option: number) => Weight): boolean {
  const together = out.reduce((sum, option) => sum + weightOf(option), 0n);
  return all.every((option) => out.includes(option) || weightOf(option) > together);
}
