import { sumBundles } from '../cast.ts';
import type { Definition } from '../poll.ts';
import { type Rejection, reject } from '../rejection.ts';
import { Count } from './count.ts';
import type { Kind } from './kind.ts';
import { atLeastTwo, NONE, withNone } from './single.ts';

/**
 * Several options at once, at least `min` and at most `max`. A choice is the keys in the poll's order: `a,c`; or `none`
 * alone, where that is offered.
 */
export const multiple: Kind = {
  settings: ['min', 'max', 'none', 'shareOf'],

  complete(definition) {
    const { min = 1, max, none, options, shareOf = 'voters' } = definition;
    const offered = none ? options.filter(({ key }) => key !== NONE) : options;
    return withNone({ ...definition, min, max: max ?? offered.length, shareOf });
  },

  problems(definition) {
    const { min = 1, max = 1 } = definition;
    const options = candidates(definition);
    const problems = atLeastTwo(options, 'a multiple-choice poll');
    if (min < 1) problems.push(`min: must be at least 1, not ${min}`);
    if (max < min) problems.push(`max: must be at least min (${min}), not ${max}`);
    if (max > options.length) problems.push(`max: there are only ${options.length} options, not ${max}`);
    return problems;
  },

  parse: (text, definition) => (definition.none && text === NONE ? NONE : parseKeys(text, definition)),

  result(definition, bundles, { breaker }) {
    const count = new Count();
    let selections = 0;
    for (const { choice, heads, weight } of bundles) {
      for (const key of choice.split(',')) {
        count.add(key, heads, weight);
        if (key !== NONE || !definition.none) selections += heads;
      }
    }
    const whole = definition.shareOf === 'selections' ? count.total : sumBundles(bundles);
    const options = count.lines(definition.options, whole, definition);
    return { options, selections, shareOf: definition.shareOf, ...count.leaders(candidates(definition), breaker) };
  },
};

function candidates({ options, none }: Definition) {
  return none ? options.filter(({ key }) => key !== NONE) : options;
}

/** Keys joined by commas, put into the poll's order; as many as the poll allows. */
export function parseKeys(text: string, definition: Definition): string | Rejection {
  const options = candidates(definition);
  const { min = 1, max = options.length } = definition;
  const keys = text.split(',', options.length + 1).map((key) => key.trim());
  const chosen = new Set(keys);
  if (keys.length > options.length) return reject('too-many-options');
  const known = options.filter((option) => chosen.has(option.key)).map((option) => option.key);
  if (known.length !== chosen.size) return reject('unknown-option');
  if (chosen.size !== keys.length) return reject('duplicate-option');
  if (known.length < min) return reject('too-few-options');
  if (known.length > max) return reject('too-many-options');
  return known.join(',');
}
