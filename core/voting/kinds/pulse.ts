import type { Kind } from './kind.ts';
import { atLeastTwo, parseKey, resultOfKeys } from './single.ts';

/** How long a press counts where the poll does not say, ms. */
const WINDOW_MS = 60_000;
const LIMITS_MS = { least: 1_000, most: 3_600_000 } as const;

/**
 * The mood now: press as often as you like, each device's newest press counts for `windowMs`. A choice is an option's key.
 */
export const pulse: Kind = {
  settings: ['windowMs'],
  complete: (definition) => ({ ...definition, windowMs: definition.windowMs ?? WINDOW_MS }),

  problems({ options, windowMs = WINDOW_MS, revote }) {
    const problems = atLeastTwo(options, 'a pulse');
    const { least, most } = LIMITS_MS;
    if (windowMs < least || windowMs > most) problems.push(`windowMs: from ${least} to ${most}, not ${windowMs}`);
    if (revote !== 'last') problems.push('revote: a pulse is pressed again and again; leave it at last');
    return problems;
  },

  parse: parseKey,
  result: (definition, bundles, circumstances) => ({
    ...resultOfKeys(definition, bundles, circumstances),
    windowMs: definition.windowMs,
  }),
};
