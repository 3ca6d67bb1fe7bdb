import type { Bundle } from '../../count/cast.ts';
import { formatWeight, type Weight } from '../../rules/weight.ts';
import type { Definition } from '../definition.ts';
import type { BallotSum } from './figures.ts';

/** Separates options that share a rank. */
export const EQUAL = '=';

/** Ballots with the same ranking. Options are given by their index in the poll. */
export interface Ranking {
  /** First preference first. */
  readonly ranks: readonly number[];
  /** For each element of `ranks`, whether it is ranked equal to the one before; absent if no options are ranked equal. */
  readonly isEqual?: readonly boolean[] | undefined;
  readonly heads: number;
  /** The total weight of these ballots. */
  readonly weight: Weight;
}

/** The input of a counting method. */
export interface Election {
  readonly keys: readonly string[];
  /** The options that may win: all but withdrawn ones. */
  readonly candidates: readonly number[];
  /** Rankings of the candidates; ballots that rank none of them are included. */
  readonly rankings: readonly Ranking[];
  readonly definition: Definition<'ranking'>;
}

/** Parses the choices of ballots. @param withdrawn options that cannot win; ballots count as if they were not ranked */
export function electionOf(
  definition: Definition<'ranking'>,
  bundles: readonly Bundle[],
  withdrawn: ReadonlySet<string> = new Set(),
): Election {
  const keys = definition.options.map(({ key }) => key);
  const candidates = [...keys.keys()].filter((option) => !withdrawn.has(keys[option] as string));
  const places = new Map(candidates.map((option) => [keys[option] as string, option]));
  const known = (rank: readonly string[]): number[] => {
    const found: number[] = [];
    for (const key of rank) {
      const place = places.get(key);
      if (place !== undefined) found.push(place);
    }
    return found;
  };
  const rankings = bundles.map(({ choice, heads, weight }) => {
    if (!choice.includes(EQUAL)) return { ranks: known(choice.split('>')), heads, weight };
    const groups = choice.split('>').map((rank) => known(rank.split(EQUAL)));
    return { ranks: groups.flat(), isEqual: groups.flatMap((group) => group.map((_, i) => i > 0)), heads, weight };
  });
  return { keys, candidates, rankings, definition };
}

/** The ranks of a ballot as groups of equally ranked options, most preferred first. */
export function rankGroupsOf({ ranks, isEqual }: Ranking): number[][] {
  const groups: number[][] = [];
  for (const [place, option] of ranks.entries()) {
    if (isEqual?.[place]) groups.at(-1)?.push(option);
    else groups.push([option]);
  }
  return groups;
}

/** A sum of ballots, as shown in results. */
export function ballotSumOf(heads: number, weight: Weight, { weighted }: Definition<'ranking'>): BallotSum {
  return weighted ? { count: heads, weight: formatWeight(weight) } : { count: heads };
}
