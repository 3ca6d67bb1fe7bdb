import type { Bundle } from '../../cast.ts';
import type { Definition } from '../../poll.ts';
import { formatWeight, type Weight } from '../../weight.ts';

/** Ballots that rank the same: options by their place in the poll, the first preference first. */
export interface Ranking {
  readonly ranks: readonly number[];
  readonly heads: number;
  /** Of all of them. */
  readonly weight: Weight;
}

/** What a counting method works on. */
export interface Election {
  readonly keys: readonly string[];
  readonly rankings: readonly Ranking[];
  readonly definition: Definition;
}

/** Takes the choices of ballots apart. */
export function electionOf(definition: Definition, bundles: readonly Bundle[]): Election {
  const keys = definition.options.map(({ key }) => key);
  const places = new Map(keys.map((key, place) => [key, place]));
  const rankings = bundles.map(({ choice, heads, weight }) => ({
    ranks: choice.split('>').map((key) => places.get(key) as number),
    heads,
    weight,
  }));
  return { keys, rankings, definition };
}

/** A sum of votes for people: a number, and where weights are counted their exact text. */
export function figureOf(heads: number, weight: Weight, { weighted }: Definition) {
  return weighted ? { count: heads, weight: formatWeight(weight) } : { count: heads };
}
