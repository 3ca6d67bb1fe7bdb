import { type Bundle, sumBundles } from '../../count/cast.ts';
import type { Option } from '../../rules/option.ts';
import { reject } from '../../rules/rejection.ts';
import { textProblems } from '../../rules/text/printable.ts';
import type { Definition } from '../definition.ts';
import { Count } from '../figures/count.ts';
import { type OptionResult, ratio } from '../figures/option-result.ts';
import {
  frequenciesOf,
  meanOf,
  quantileOf,
  sizeOf,
  standardDeviationOf,
  trimmedMeanOf,
} from '../figures/statistics.ts';
import type { Kind } from '../kind.ts';
import { answerPointProblems } from '../settings/answer-points.ts';
import type { Estimate } from './figures.ts';
import { settings } from './settings.ts';
import { formatUnits, parseUnits, unitsOf } from './units.ts';

const MAX_DECIMALS = 6;
const MAX_BINS = 100;
const MAX_UNIT_LENGTH = 20;
const QUANTILES = { p5: 0.05, p25: 0.25, p50: 0.5, p75: 0.75, p95: 0.95 };
/** Settings that only apply if there is a right answer. */
const GUESS_SETTINGS = ['tolerance', 'proximity', 'points', 'speed'];

/** A number from `min` to `max` with up to `decimals` decimal places. A choice is the number without needless zeros: `3.5`. */
export const numeric: Kind<'numeric'> = {
  settings,
  confidential: ['answer', 'tolerance', 'proximity'],

  complete(definition) {
    const { decimals = 0, bins = 10, trim = 0.1, answer, tolerance = 0, points = 1000, speed = 0 } = definition;
    const estimate = answer === undefined ? {} : { tolerance, points, speed };
    return { ...definition, decimals, bins, trim, ...estimate };
  },

  problems(definition) {
    const { options, min, max, decimals = 0, bins = 10, trim = 0.1, answer, tolerance, proximity, unit } = definition;
    const problems = unit === undefined ? [] : textProblems('unit', unit, MAX_UNIT_LENGTH);
    if (options.length > 0) {
      problems.push('options: not allowed in a numeric poll; its bars follow from min, max and bins');
    }
    if (!(decimals >= 0 && decimals <= MAX_DECIMALS)) {
      return [...problems, `decimals: must be from 0 to ${MAX_DECIMALS}, not ${decimals}`];
    }
    if (bins < 1 || bins > MAX_BINS) problems.push(`bins: must be from 1 to ${MAX_BINS}, not ${bins}`);
    if (!(trim >= 0 && trim < 0.5)) problems.push(`trim: must be at least 0 and below 0.5, not ${trim}`);
    if (min === undefined || max === undefined) return [...problems, 'min, max: a numeric poll needs both'];
    if (max <= min) problems.push(`max: must be above min (${min}), not ${max}`);
    for (const [field, value] of Object.entries({ min, max, answer, tolerance, proximity })) {
      if (value !== undefined && !Number.isSafeInteger(unitsOf(value, decimals))) {
        problems.push(`${field}: must have at most ${decimals} decimal places and 15 digits in all, not ${value}`);
      }
    }
    problems.push(...answerPointProblems(definition));
    if (answer !== undefined && (answer < min || answer > max)) problems.push(`answer: must be from ${min} to ${max}`);
    for (const [field, value] of Object.entries({ tolerance, proximity })) {
      if (value !== undefined && value < 0) problems.push(`${field}: must be at least 0, not ${value}`);
    }
    return problems;
  },

  parse(text, { min = 0, max = 0, decimals = 0 }) {
    const units = parseUnits(text, decimals);
    if (typeof units !== 'number') return units;
    if (units < unitsOf(min, decimals) || units > unitsOf(max, decimals)) return reject('out-of-range');
    return formatUnits(units, decimals);
  },

  fullest({ min = 0, max = 0, decimals = 0 }) {
    const [low, high] = [unitsOf(min, decimals), unitsOf(max, decimals)];
    const numbers = [low, low + 1, high - 1, high].map((units) => formatUnits(units, decimals));
    return { choice: numbers.reduce((a, b) => (b.length > a.length ? b : a)), follows: 'min, max' };
  },

  result(definition, bundles, { isFinal }) {
    const { decimals = 0, trim = 0.1 } = definition;
    const scale = 10 ** decimals;
    const frequencies = frequenciesOf(bundles.map(({ choice, heads }) => [unitsOf(choice, decimals), heads]));
    const scaled = (value: number | null | undefined) => (value === null || value === undefined ? null : value / scale);
    return {
      options: histogramOf(definition, bundles),
      n: sizeOf(frequencies),
      mean: scaled(meanOf(frequencies)),
      median: scaled(quantileOf(frequencies, 0.5)),
      standardDeviation: scaled(standardDeviationOf(frequencies)),
      trimmedMean: scaled(trimmedMeanOf(frequencies, trim)),
      least: scaled(frequencies[0]?.[0]),
      most: scaled(frequencies.at(-1)?.[0]),
      quantiles: Object.fromEntries(
        Object.entries(QUANTILES).map(([name, p]) => [name, scaled(quantileOf(frequencies, p))]),
      ),
      ...(isFinal ? estimateOf(definition, bundles) : {}),
    };
  },

  options: () => 'none',
  applies: (setting, { answer }) => answer !== undefined || !GUESS_SETTINGS.includes(setting),
  hasAnswer: ({ answer }) => answer !== undefined,
  credit: creditOf,
};

/**
 * The credit for a guess: 1 within the tolerance, then decreasing linearly to 0 at `proximity` beyond the tolerance. Undefined
 * if there is no right answer.
 */
function creditOf(
  choice: string,
  { answer, tolerance = 0, proximity = 0, decimals = 0 }: Definition<'numeric'>,
): number | undefined {
  if (answer === undefined) return undefined;
  const beyond = distance(choice, answer, decimals) - unitsOf(tolerance, decimals);
  if (beyond <= 0) return 1;
  return proximity === 0 ? 0 : Math.max(0, 1 - beyond / unitsOf(proximity, decimals));
}

function estimateOf(definition: Definition<'numeric'>, bundles: readonly Bundle[]): Estimate {
  const { answer, decimals = 0 } = definition;
  if (answer === undefined) return {};
  const right = sumBundles(bundles.filter(({ choice }) => creditOf(choice, definition) === 1)).heads;
  const least = bundles.reduce((best, { choice }) => Math.min(best, distance(choice, answer, decimals)), Infinity);
  const nearest = bundles.filter(({ choice }) => distance(choice, answer, decimals) === least);
  return {
    answer,
    correct: { count: right, share: ratio(right, sumBundles(bundles).heads) },
    nearest: { numbers: [...new Set(nearest.map(({ choice }) => choice))].sort(), count: sumBundles(nearest).heads },
  };
}

function distance(choice: string, answer: number, decimals: number): number {
  return Math.abs(unitsOf(choice, decimals) - unitsOf(answer, decimals));
}

/**
 * Bars of equal width from `min` to `max`, the last of which includes its upper bound. If there are at most `bins` possible
 * numbers, each has its own bar.
 */
function histogramOf(definition: Definition<'numeric'>, bundles: readonly Bundle[]): OptionResult[] {
  const { min = 0, max = 0, decimals = 0, bins = 10 } = definition;
  const [low, high] = [unitsOf(min, decimals), unitsOf(max, decimals)];
  const numbers = high - low + 1;
  const isOnePerNumber = numbers <= bins;
  const bars = isOnePerNumber ? numbers : bins;
  const width = isOnePerNumber ? 1 : (high - low) / bins;
  const text = (units: number) => formatUnits(Math.round(units), decimals);
  const options: Option[] = Array.from({ length: bars }, (_, i) => {
    const label = isOnePerNumber ? text(low + i) : `${text(low + i * width)} – ${text(low + (i + 1) * width)}`;
    return { key: label, label };
  });
  const count = new Count();
  for (const { choice, heads, weight } of bundles) {
    const bar = Math.min(bars - 1, Math.floor((unitsOf(choice, decimals) - low) / width));
    count.add(options[bar]?.key ?? '', heads, weight);
  }
  return count.lines(options, sumBundles(bundles), definition);
}
