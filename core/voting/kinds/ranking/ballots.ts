import type { Bundle } from '../../count/cast.ts';
import { formatWeight, type Weight } from '../../rules/weight.ts';
import type { Definition } from '../definition.ts';
import type { BallotSum } from './figures.ts';

/** Ballots with the same ranking: options by their index in the poll, first preference first. */
export interface Ranking {
  readonly ranks: readonly number[];
  readonly heads: number;
  /** The total weight of these ballots. */
  readonly weight: Weight;
}

/** The input of a counting method. */
export interface Election {
  readonly keys: readonly string[];
  readonly rankings: readonly Ranking[];
  readonly definition: Definition<'ranking'>;
}

/** Parses the choices of ballots. */
export function electionOf(definition: Definition<'ranking'>, bundles: readonly Bundle[]): Election {
  const keys = definition.options.map(({ key }) => key);
  const places = new Map(keys.map((key, place) => [key, place]));
  const rankings = bundles.map(({ choice, heads, weight }) => ({
    ranks: choice.split('>').map((key) => places.get(key) as number),
    heads,
    weight,
  }));
  return { keys, rankings, definition };
}

/** A sum of ballots, as shown in results. */
export function ballotSumOf(heads: number, weight: Weight, { weighted }: Definition<'ranking'>): BallotSum {
  return weighted ? { count: heads, weight: formatWeight(weight) } : { count: heads };
}
