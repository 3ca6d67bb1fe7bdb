import { fullestKey } from '../choices/full.ts';
import { parseKey, tooFewOptionsProblems } from '../choices/keys.ts';
import { figuresByKey } from '../figures/by-key.ts';
import type { Kind } from '../kind.ts';
import { settings } from './settings.ts';

/** How long in ms a press counts by default. */
const WINDOW_MS = 60_000;
const LIMITS_MS = { least: 1_000, most: 3_600_000 } as const;

/**
 * The current mood: voters press as often as they like, and the latest press of each device counts for `windowMs`. A choice is
 * an option’s key.
 */
export const pulse: Kind<'pulse'> = {
  settings,
  breaksTies: true,
  // A pulse has no end that results could wait for: seeing the room’s mood now is what it is for.
  visibility: 'live',
  complete: (definition) => ({ ...definition, windowMs: definition.windowMs ?? WINDOW_MS }),

  problems({ options, windowMs = WINDOW_MS, revote, lateGraceMs }) {
    const problems = tooFewOptionsProblems(options, 'a pulse');
    const { least, most } = LIMITS_MS;
    if (windowMs < least || windowMs > most)
      problems.push(`windowMs: must be from ${least} to ${most}, not ${windowMs}`);
    if (revote !== 'last') problems.push('revote: must be last in a pulse, because voters press again and again');
    if (lateGraceMs) problems.push('lateGraceMs: not allowed in a pulse, which only shows the current mood');
    return problems;
  },

  parse: (text, { options }) => parseKey(text, options),
  fullest: ({ options }) => fullestKey(options),
  result: (definition, bundles, context) => ({
    ...figuresByKey(definition, bundles, context),
    windowMs: definition.windowMs,
  }),
  lifetimeMs: ({ windowMs = WINDOW_MS }) => windowMs,
};
