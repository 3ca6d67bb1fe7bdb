import { sumBundles } from '../../count/cast.ts';
import { fullestGrades } from '../choices/full.ts';
import { tooFewOptionsProblems } from '../choices/keys.ts';
import { formatPairs, parseGrades, readPairs } from '../choices/pairs.ts';
import { Count } from '../figures/count.ts';
import type { Kind } from '../kind.ts';
import { settings } from './settings.ts';
import { automaticRunoff } from './star.ts';

/** The highest grade that a poll may allow. */
const MAX_GRADE = 100;

/**
 * A grade from `min` to `max` (default 0 to 5) for each option; options without a grade get the lowest. A choice is `a:5,b:0`.
 * With `score`, the option with the highest sum wins; with `star` (score, then automatic runoff), the two options with the
 * highest sums are compared, and the one that more voters grade higher wins. Counts are sums of grades.
 */
export const score: Kind<'score'> = {
  settings,
  breaksTies: true,

  complete(definition) {
    const { min = 0, max = 5, method = 'score' } = definition;
    return { ...definition, min, max, method };
  },

  problems({ options, min = 0, max = 5, method }) {
    const problems = tooFewOptionsProblems(options, 'a score poll');
    if (min < 0 || max > MAX_GRADE || max <= min) {
      problems.push(`min, max: must be from 0 to ${MAX_GRADE}, with min below max, not ${min} and ${max}`);
    }
    if (method !== 'score' && method !== 'star') problems.push('method: must be score or star in a score poll');
    return problems;
  },

  parse(text, { options, min = 0, max = 5 }) {
    const grades = parseGrades(text, options, min, max);
    return grades instanceof Map ? formatPairs(grades) : grades;
  },

  fullest: ({ options, min = 0, max = 5 }) => fullestGrades(options, min, max, 'options'),

  result(definition, bundles, context) {
    const { options, min = 0 } = definition;
    const ballots = bundles.map((bundle) => ({ ...bundle, grades: new Map(readPairs(bundle.choice)) }));
    const count = new Count();
    for (const { grades, heads, weight } of ballots) {
      for (const { key } of options) {
        const grade = grades.get(key) ?? min;
        count.add(key, heads * grade, weight * BigInt(grade));
      }
    }
    const { heads: voters } = sumBundles(bundles);
    const lines = count.lines(options, count.total, definition);
    const found = {
      options: lines.map((line) => ({ ...line, mean: voters === 0 ? null : count.heads(line.key) / voters })),
      method: definition.method,
    };
    if (definition.method !== 'star') return { ...found, ...count.leaders(options, context) };
    return { ...found, ...automaticRunoff(definition, ballots, count, context) };
  },
};
