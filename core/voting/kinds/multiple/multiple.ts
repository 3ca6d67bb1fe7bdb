import { sumBundles } from '../../count/cast.ts';
import { parseShare, reaches, SHARE_RULE } from '../../rules/share.ts';
import { fullestKeys } from '../choices/full.ts';
import {
  keyMeant,
  NONE,
  parseKeys,
  seatProblems,
  tooFewOptionsProblems,
  withNone,
  withoutNone,
} from '../choices/keys.ts';
import { Count } from '../figures/count.ts';
import type { Kind } from '../kind.ts';
import { settings } from './settings.ts';

/**
 * Between `min` and `max` options. A choice is their keys in the poll’s order, `a,c`, or just `none` if the poll offers "none
 * of the above".
 */
export const multiple: Kind<'multiple'> = {
  settings,
  breaksTies: true,

  complete(definition) {
    const { min = 1, max, none, options, shareOf = 'voters' } = definition;
    const offered = withoutNone(options, none);
    return { ...definition, min, max: max ?? offered.length, shareOf, options: withNone(options, none) };
  },

  problems({ min = 1, max = 1, options: all, none, seats, candidateMajority }) {
    const options = withoutNone(all, none);
    const problems = tooFewOptionsProblems(options, 'a multiple-choice poll');
    if (min < 1) problems.push(`min: must be at least 1, not ${min}`);
    if (max < min) problems.push(`max: must be at least min (${min}), not ${max}`);
    if (max > options.length) problems.push(`max: there are only ${options.length} options, not ${max}`);
    problems.push(...seatProblems(seats, options.length));
    if (candidateMajority !== undefined && !parseShare(candidateMajority))
      problems.push(`candidateMajority: must be ${SHARE_RULE}, not ${JSON.stringify(candidateMajority)}`);
    return problems;
  },

  parse(text, { options: all, none, min = 1, max }) {
    const options = withoutNone(all, none);
    return none && keyMeant(text, all) === NONE ? NONE : parseKeys(text, options, min, max ?? options.length);
  },

  fullest({ options: all, none, max }) {
    const options = withoutNone(all, none);
    return fullestKeys(options, max ?? options.length, ',');
  },

  result(definition, bundles, context) {
    const { none, shareOf, seats, candidateMajority } = definition;
    const count = new Count();
    let selections = 0;
    for (const { choice, heads, weight } of bundles) {
      for (const key of choice.split(',')) {
        count.add(key, heads, weight);
        if (key !== NONE || !none) selections += heads;
      }
    }
    const cast = sumBundles(bundles);
    const whole = shareOf === 'selections' ? count.total : cast;
    const options = count.lines(definition.options, whole, definition);
    const offered = withoutNone(definition.options, none);
    const found = { options, selections, shareOf, seats };
    const threshold = parseShare(candidateMajority ?? '');
    if (!threshold) return { ...found, ...count.leaders(offered, context, seats) };
    const valid = cast.weight - (none ? count.weight(NONE) : 0n);
    const reaching = offered.filter(({ key }) => reaches(count.weight(key), valid, threshold));
    return { ...found, reached: reaching.map(({ key }) => key), ...count.leaders(reaching, context, seats) };
  },

  abstention: ({ none }) => (none ? NONE : undefined),
};
