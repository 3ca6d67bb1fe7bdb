import type { Weight } from '../../../rules/weight.ts';
import { type Election, rankGroupsOf } from '../ballots.ts';

/**
 * In each cell, the votes that prefer the option of the row to the option of the column. On a ballot, ranked options beat
 * unranked ones; options that share a rank, or are both unranked, are not compared with each other.
 */
export function preferencesOf({ keys, candidates, rankings }: Election): Weight[][] {
  const votes = keys.map(() => keys.map(() => 0n));
  for (const ranking of rankings) {
    const below = new Set(candidates);
    for (const group of rankGroupsOf(ranking)) {
      for (const option of group) below.delete(option);
      for (const over of group) {
        const row = votes[over] as Weight[];
        for (const under of below) row[under] = (row[under] as Weight) + ranking.weight;
      }
    }
  }
  return votes;
}

/** More ballots prefer `over` to `under` than `under` to `over`. */
export interface Majority {
  readonly over: number;
  readonly under: number;
  readonly votes: Weight;
  readonly against: Weight;
}

/** The majorities between any two of the options. @param votes as returned by `preferencesOf` */
export function majoritiesOf(options: readonly number[], votes: readonly (readonly Weight[])[]): Majority[] {
  return options.flatMap((over) =>
    options
      .map((under) => ({ over, under, votes: votes[over]?.[under] ?? 0n, against: votes[under]?.[over] ?? 0n }))
      .filter((pair) => pair.votes > pair.against),
  );
}
