import { type Bundle, sumBundles } from '../cast.ts';
import type { Definition, Option } from '../poll.ts';
import { reject } from '../rejection.ts';
import { shareOf } from '../weight.ts';
import { Count } from './count.ts';
import { type Kind, share } from './kind.ts';
import { formatPairs, parsePairs, readPairs } from './pairs.ts';
import {
  type Frequencies,
  frequenciesOf,
  meanOf,
  netPromoterScoreOf,
  quantileOf,
  sizeOf,
  standardDeviationOf,
} from './statistics.ts';

/** The most grades a rating may have; each is a bar on the screen. */
const MAX_GRADES = 101;
const MAX_ITEMS = 30;
const GRADE = /^[+-]?\d{1,9}$/;

/**
 * A whole number from `min` to `max` (default 1 to 5), for one thing or for each of several `items`. A choice is the
 * number, `4`, or numbers by item, `food:4,music:5`; items may be skipped. The options are the grades.
 */
export const rating: Kind = {
  settings: ['min', 'max', 'items', 'top'],

  complete(definition) {
    const { min = 1, max = 5, top = 1, options } = definition;
    const fits = Number.isSafeInteger(min) && Number.isSafeInteger(max) && max > min && max - min < MAX_GRADES;
    const labels = new Map(options.map(({ key, label }) => [key, label]));
    const grades = fits ? Array.from({ length: max - min + 1 }, (_, i) => String(min + i)) : [];
    const labelled = grades.map((key) => ({ key, label: labels.get(key) ?? key }));
    const strangers = options.filter(({ key }) => !grades.includes(key));
    return { ...definition, min, max, top, options: [...labelled, ...strangers] };
  },

  problems({ options, min = 1, max = 5, top = 1, items }) {
    if (max <= min) return [`max: must be above min (${min}), not ${max}`];
    if (max - min >= MAX_GRADES) return [`max: at most ${MAX_GRADES} grades, not ${max - min + 1}`];
    const problems = options
      .filter(({ key }) => !GRADE.test(key) || Number(key) < min || Number(key) > max)
      .map(({ key }) => `options: ${JSON.stringify(key)} is not a grade from ${min} to ${max}`);
    if (top < 1 || top > max - min) problems.push(`top: from 1 to ${max - min} of the grades, not ${top}`);
    if (items && (items.length < 2 || items.length > MAX_ITEMS)) {
      problems.push(`items: from 2 to ${MAX_ITEMS}, not ${items.length}; for one thing leave them out`);
    }
    return problems;
  },

  parse(text, definition) {
    const { items, min = 1, max = 5 } = definition;
    if (!items) return parseGrade(text, min, max);
    const grades = parsePairs(
      text,
      items.map(({ key }) => key),
    );
    if (!(grades instanceof Map)) return grades;
    if (grades.size === 0) return reject('too-few-options');
    for (const grade of grades.values()) if (grade < min || grade > max) return reject('out-of-range');
    return formatPairs(grades);
  },

  result(definition, bundles) {
    const { items } = definition;
    if (!items) return ratingOf(definition, bundles);
    const byItem = new Map(items.map(({ key }) => [key, [] as Bundle[]]));
    for (const bundle of bundles) {
      for (const [item, grade] of readPairs(bundle.choice))
        byItem.get(item)?.push({ ...bundle, choice: String(grade) });
    }
    const all = [...byItem.values()].flat();
    return {
      // All grades given, whatever the item: for a first look.
      options: ratingOf(definition, all).options,
      items: items.map(({ key, label }: Option) => ({ key, label, ...ratingOf(definition, byItem.get(key) ?? []) })),
    };
  },
};

function parseGrade(text: string, min: number, max: number) {
  if (!GRADE.test(text)) return reject('not-a-number');
  const grade = Number(text);
  if (grade < min || grade > max) return reject('out-of-range');
  return String(grade === 0 ? 0 : grade);
}

/** The figures of one thing that was rated; statistics are of voters, shares and `weightedMean` of weights. */
function ratingOf(definition: Definition, bundles: readonly Bundle[]) {
  const { options, min = 1, max = 5, top = 1, weighted } = definition;
  const count = new Count();
  for (const { choice, heads, weight } of bundles) count.add(choice, heads, weight);
  const frequencies: Frequencies = frequenciesOf(bundles.map(({ choice, heads }) => [Number(choice), heads]));
  const whole = sumBundles(bundles);
  const best = bundles.filter(({ choice }) => Number(choice) > max - top);
  const topBox = sumBundles(best);
  return {
    options: count.lines(options, whole, definition),
    n: sizeOf(frequencies),
    mean: meanOf(frequencies),
    median: quantileOf(frequencies, 0.5),
    standardDeviation: standardDeviationOf(frequencies),
    topBox: weighted ? shareOf(topBox.weight, whole.weight) : share(topBox.heads, whole.heads),
    ...(weighted ? { weightedMean: weightedMeanOf(bundles) } : {}),
    ...(min === 0 && max === 10 ? { netPromoterScore: netPromoterScoreOf(frequencies) } : {}),
  };
}

function weightedMeanOf(bundles: readonly Bundle[]): number | null {
  const { weight } = sumBundles(bundles);
  if (weight === 0n) return null;
  return Number(bundles.reduce((sum, bundle) => sum + BigInt(bundle.choice) * bundle.weight, 0n)) / Number(weight);
}
