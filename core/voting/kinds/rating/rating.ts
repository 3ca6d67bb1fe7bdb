import { type Bundle, sumBundles } from '../../count/cast.ts';
import { optionProblems } from '../../rules/option.ts';
import { reject } from '../../rules/rejection.ts';
import { shareOf } from '../../rules/weight.ts';
import { fullestGrades, fullestKey } from '../choices/full.ts';
import { formatPairs, parseGrades, readPairs } from '../choices/pairs.ts';
import type { Definition } from '../definition.ts';
import { Count } from '../figures/count.ts';
import { ratio } from '../figures/option-result.ts';
import {
  frequenciesOf,
  meanOf,
  netPromoterScoreOf,
  quantileOf,
  sizeOf,
  standardDeviationOf,
} from '../figures/statistics.ts';
import type { Kind } from '../kind.ts';
import type { Rating } from './figures.ts';
import { settings } from './settings.ts';

/** The maximum number of grades on a scale. It is limited because each grade is a bar on the screen. */
const MAX_GRADES = 101;
const MAX_ITEMS = 30;
const GRADE = /^[+-]?\d{1,9}$/;

/**
 * A whole number from `min` to `max` (default 1 to 5), for one thing or for each of several `items`. A choice is the number,
 * `4`, or a number per item, `food:4,music:5`; items may be skipped. The options are the grades.
 */
export const rating: Kind<'rating'> = {
  settings,

  complete(definition) {
    const { min = 1, max = 5, top = 1, options } = definition;
    const fits = Number.isSafeInteger(min) && Number.isSafeInteger(max) && max > min && max - min < MAX_GRADES;
    const labels = new Map(options.map(({ key, label }) => [key, label]));
    const grades = fits ? Array.from({ length: max - min + 1 }, (_, i) => String(min + i)) : [];
    const labelled = grades.map((key) => ({ key, label: labels.get(key) ?? key }));
    const foreign = options.filter(({ key }) => !grades.includes(key));
    return { ...definition, min, max, top, options: [...labelled, ...foreign] };
  },

  problems({ options, min = 1, max = 5, top = 1, items }) {
    const problems = optionProblems('items', items ?? []);
    if (max <= min) return [...problems, `max: must be above min (${min}), not ${max}`];
    if (max - min >= MAX_GRADES)
      return [...problems, `max: at most ${MAX_GRADES} grades are allowed, not ${max - min + 1}`];
    problems.push(
      ...options
        .filter(({ key }) => !GRADE.test(key) || Number(key) < min || Number(key) > max)
        .map(({ key }) => `options: ${JSON.stringify(key)} is not a grade from ${min} to ${max}`),
    );
    if (top < 1 || top > max - min) problems.push(`top: must be from 1 to ${max - min}, not ${top}`);
    if (items && (items.length < 2 || items.length > MAX_ITEMS)) {
      problems.push(
        `items: must list 2 to ${MAX_ITEMS} things, not ${items.length}; to rate a single thing, omit items`,
      );
    }
    return problems;
  },

  parse(text, { items, min = 1, max = 5 }) {
    if (!items) return parseGrade(text, min, max);
    const grades = parseGrades(text, items, min, max);
    return grades instanceof Map ? formatPairs(grades) : grades;
  },

  fullest({ options, items, min = 1, max = 5 }) {
    return items ? fullestGrades(items, min, max, 'items') : fullestKey(options);
  },

  result(definition, bundles) {
    const { items } = definition;
    if (!items) return ratingOf(definition, bundles);
    const byItem = new Map(items.map(({ key }) => [key, [] as Bundle[]]));
    for (const bundle of bundles) {
      for (const [item, grade] of readPairs(bundle.choice)) {
        byItem.get(item)?.push({ ...bundle, choice: String(grade) });
      }
    }
    return {
      options: ratingOf(definition, [...byItem.values()].flat()).options,
      items: items.map(({ key, label }) => ({ key, label, ...ratingOf(definition, byItem.get(key) ?? []) })),
    };
  },

  options: () => 'labels',
};

function parseGrade(text: string, min: number, max: number) {
  if (!GRADE.test(text)) return reject('not-a-number');
  const grade = Number(text);
  if (grade < min || grade > max) return reject('out-of-range');
  return String(grade === 0 ? 0 : grade);
}

function ratingOf(definition: Definition<'rating'>, bundles: readonly Bundle[]): Rating {
  const { options, min = 1, max = 5, top = 1, weighted } = definition;
  const count = new Count();
  for (const { choice, heads, weight } of bundles) count.add(choice, heads, weight);
  const frequencies = frequenciesOf(bundles.map(({ choice, heads }) => [Number(choice), heads]));
  const whole = sumBundles(bundles);
  const topBox = sumBundles(bundles.filter(({ choice }) => Number(choice) > max - top));
  return {
    options: count.lines(options, whole, definition),
    n: sizeOf(frequencies),
    mean: meanOf(frequencies),
    median: quantileOf(frequencies, 0.5),
    standardDeviation: standardDeviationOf(frequencies),
    topBox: weighted ? shareOf(topBox.weight, whole.weight) : ratio(topBox.heads, whole.heads),
    ...(weighted ? { weightedMean: weightedMeanOf(bundles) } : {}),
    ...(min === 0 && max === 10 ? { netPromoterScore: netPromoterScoreOf(frequencies) } : {}),
  };
}

function weightedMeanOf(bundles: readonly Bundle[]): number | null {
  const { weight } = sumBundles(bundles);
  if (weight === 0n) return null;
  return Number(bundles.reduce((sum, bundle) => sum + BigInt(bundle.choice) * bundle.weight, 0n)) / Number(weight);
}
