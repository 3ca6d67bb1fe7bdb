import { fullestKey } from '../choices/full.ts';
import { NONE, parseKey, tooFewOptionsProblems, withNone } from '../choices/keys.ts';
import { figuresByKey } from '../figures/by-key.ts';
import type { Kind } from '../kind.ts';
import { settings } from './settings.ts';

/** One option out of several. A choice is the option’s key: `b`. */
export const single: Kind<'single'> = {
  settings,
  breaksTies: true,
  majorityOf: 'leader',
  complete: (definition) => ({ ...definition, options: withNone(definition.options, definition.none) }),
  problems: ({ options }) => tooFewOptionsProblems(options, 'a single-choice poll'),
  parse: (text, { options }) => parseKey(text, options),
  fullest: ({ options }) => fullestKey(options),
  result: (definition, bundles, context) => figuresByKey(definition, bundles, context),
  abstention: ({ none }) => (none ? NONE : undefined),
};
