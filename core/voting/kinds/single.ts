import { type Bundle, sumBundles } from '../cast.ts';
import type { Definition, Option } from '../poll.ts';
import { reject } from '../rejection.ts';
import { Count } from './count.ts';
import type { Circumstances, Kind, KindResult } from './kind.ts';

/** The option of a poll that offers none of its options. */
export const NONE = 'none';

/** One option out of several. A choice is the option's key: `b`. */
export const single: Kind = {
  settings: ['none'],
  complete: withNone,
  problems: ({ options }) => atLeastTwo(options, 'a single-choice poll'),
  parse: parseKey,
  result: resultOfKeys,
};

/** The definition with the option `none` where it is asked for. */
export function withNone(definition: Definition): Definition {
  const { none, options } = definition;
  if (!none || options.some(({ key }) => key === NONE)) return definition;
  return { ...definition, options: [...options, { key: NONE, label: 'None of the above' }] };
}

export function atLeastTwo(options: readonly Option[], what: string): string[] {
  return options.length < 2 ? [`options: ${what} needs at least 2`] : [];
}

/** A choice that is one of the options' keys. */
export function parseKey(text: string, { options }: Definition) {
  return options.some(({ key }) => key === text) ? text : reject('unknown-option');
}

/** The result where each ballot is one key. Whoever chose `none` leads nothing. */
export function resultOfKeys(
  definition: Definition,
  bundles: readonly Bundle[],
  { breaker }: Circumstances,
): KindResult {
  const count = new Count();
  for (const { choice, heads, weight } of bundles) count.add(choice, heads, weight);
  const { options, none } = definition;
  const candidates = none ? options.filter(({ key }) => key !== NONE) : options;
  return { options: count.lines(options, sumBundles(bundles), definition), ...count.leaders(candidates, breaker) };
}
