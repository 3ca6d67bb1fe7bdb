import { type Bundle, sumBundles } from '../cast.ts';
import type { Definition, Option } from '../poll.ts';
import { type Rejection, reject } from '../rejection.ts';
import { Count } from './count.ts';
import { type Kind, type KindResult, pointProblems, share } from './kind.ts';
import { frequenciesOf, meanOf, quantileOf, sizeOf, standardDeviationOf, trimmedMeanOf } from './statistics.ts';

const NUMBER = /^[+-]?\d{1,15}(?:\.(\d{1,15}))?$/;
const MAX_DECIMALS = 6;
const MAX_BINS = 100;
const QUANTILES = { p5: 0.05, p25: 0.25, p50: 0.5, p75: 0.75, p95: 0.95 };

/**
 * A number from `min` to `max` with up to `decimals` digits after the point. A choice is the number without needless
 * zeros: `3.5`. Inside, numbers are whole multiples of the last digit, so that sums are exact. The options are the bars
 * of the histogram.
 */
export const numeric: Kind = {
  settings: ['min', 'max', 'decimals', 'unit', 'bins', 'trim', 'answer', 'tolerance', 'proximity', 'points', 'speed'],

  complete(definition) {
    const { decimals = 0, bins = 10, trim = 0.1, answer, tolerance = 0, points = 1000, speed = 0 } = definition;
    const estimate = answer === undefined ? {} : { tolerance, points, speed };
    return { ...definition, decimals, bins, trim, ...estimate };
  },

  problems(definition) {
    const { options, min, max, decimals = 0, bins = 10, trim = 0.1, answer, tolerance, proximity } = definition;
    const problems: string[] = [];
    if (options.length > 0)
      problems.push('options: a numeric poll has none; its bars are drawn from min, max and bins');
    if (!(decimals >= 0 && decimals <= MAX_DECIMALS)) {
      return [...problems, `decimals: from 0 to ${MAX_DECIMALS}, not ${decimals}`];
    }
    if (bins < 1 || bins > MAX_BINS) problems.push(`bins: from 1 to ${MAX_BINS}, not ${bins}`);
    if (!(trim >= 0 && trim < 0.5)) problems.push(`trim: from 0 to below 0.5, not ${trim}`);
    if (min === undefined || max === undefined) return [...problems, 'min, max: a numeric poll needs both'];
    if (max <= min) problems.push(`max: must be above min (${min}), not ${max}`);
    for (const [field, value] of Object.entries({ min, max, answer, tolerance, proximity })) {
      if (value !== undefined && !Number.isSafeInteger(unitsOf(String(value), decimals))) {
        problems.push(`${field}: at most ${decimals} digits after the point and 15 in all, not ${value}`);
      }
    }
    problems.push(...pointProblems(definition));
    if (answer !== undefined && (answer < min || answer > max)) problems.push(`answer: must be from ${min} to ${max}`);
    for (const [field, value] of Object.entries({ tolerance, proximity })) {
      if (value !== undefined && value < 0) problems.push(`${field}: must not be below 0, not ${value}`);
    }
    return problems;
  },

  parse(text, definition) {
    const { min = 0, max = 0, decimals = 0 } = definition;
    const units = parseUnits(text, decimals);
    if (typeof units !== 'number') return units;
    if (units < unitsOf(String(min), decimals) || units > unitsOf(String(max), decimals)) return reject('out-of-range');
    return numberText(units, decimals);
  },

  result(definition, bundles, { isFinal }) {
    const { decimals = 0, trim = 0.1, answer } = definition;
    const scale = 10 ** decimals;
    const frequencies = frequenciesOf(bundles.map(({ choice, heads }) => [unitsOf(choice, decimals), heads]));
    const inUnit = (value: number | null | undefined) => (value === null || value === undefined ? null : value / scale);
    return {
      options: histogramOf(definition, bundles),
      n: sizeOf(frequencies),
      mean: inUnit(meanOf(frequencies)),
      median: inUnit(quantileOf(frequencies, 0.5)),
      standardDeviation: inUnit(standardDeviationOf(frequencies)),
      trimmedMean: inUnit(trimmedMeanOf(frequencies, trim)),
      least: inUnit(frequencies[0]?.[0]),
      most: inUnit(frequencies.at(-1)?.[0]),
      quantiles: Object.fromEntries(
        Object.entries(QUANTILES).map(([name, p]) => [name, inUnit(quantileOf(frequencies, p))]),
      ),
      ...(answer !== undefined && isFinal ? estimateOf(definition, bundles) : {}),
    };
  },

  /** All within the tolerance; from there to the end of the proximity less and less. */
  credit(choice, { answer, tolerance = 0, proximity = 0, decimals = 0 }) {
    if (answer === undefined) return 0;
    const beyond = distance(choice, answer, decimals) - unitsOf(String(tolerance), decimals);
    if (beyond <= 0) return 1;
    return proximity === 0 ? 0 : Math.max(0, 1 - beyond / unitsOf(String(proximity), decimals));
  },
};

/** How good an estimate was: who was right, and which numbers came nearest. */
function estimateOf(definition: Definition, bundles: readonly Bundle[]) {
  const { answer = 0, decimals = 0 } = definition;
  const right = sumBundles(bundles.filter(({ choice }) => numeric.credit?.(choice, definition) === 1)).heads;
  const least = bundles.reduce((best, { choice }) => Math.min(best, distance(choice, answer, decimals)), Infinity);
  const nearest = bundles.filter(({ choice }) => distance(choice, answer, decimals) === least);
  return {
    answer,
    correct: { count: right, share: share(right, sumBundles(bundles).heads) },
    nearest: { numbers: [...new Set(nearest.map(({ choice }) => choice))].sort(), count: sumBundles(nearest).heads },
  };
}

function distance(choice: string, answer: number, decimals: number): number {
  return Math.abs(unitsOf(choice, decimals) - unitsOf(String(answer), decimals));
}

/** Equal bars from `min` to `max`, the last with its upper end; one for each number where those are few. */
function histogramOf(definition: Definition, bundles: readonly Bundle[]): KindResult['options'] {
  const { min = 0, max = 0, decimals = 0, bins = 10 } = definition;
  const [low, high] = [unitsOf(String(min), decimals), unitsOf(String(max), decimals)];
  const numbers = high - low + 1;
  const isEach = numbers <= bins;
  const bars = isEach ? numbers : bins;
  const width = isEach ? 1 : (high - low) / bins;
  const text = (units: number) => numberText(Math.round(units), decimals);
  const options: Option[] = Array.from({ length: bars }, (_, i) => {
    const label = isEach ? text(low + i) : `${text(low + i * width)} – ${text(low + (i + 1) * width)}`;
    return { key: label, label };
  });
  const count = new Count();
  for (const { choice, heads, weight } of bundles) {
    const bar = Math.min(bars - 1, Math.floor((unitsOf(choice, decimals) - low) / width));
    count.add(options[bar]?.key ?? '', heads, weight);
  }
  return count.lines(options, sumBundles(bundles), definition);
}

function parseUnits(text: string, decimals: number): number | Rejection {
  const [number, fraction = ''] = NUMBER.exec(text) ?? [];
  if (number === undefined) return reject('not-a-number');
  if (fraction.replace(/0+$/, '').length > decimals) return reject('too-many-digits');
  const units = unitsOf(number, decimals);
  return Number.isSafeInteger(units) ? units : reject('out-of-range');
}

/** A number in whole multiples of its last digit: 3.5 with one decimal is 35. NaN when it has more digits than that. */
function unitsOf(text: string, decimals: number): number {
  const [number, fraction = ''] = NUMBER.exec(text) ?? [];
  const digits = fraction.replace(/0+$/, '');
  if (number === undefined || digits.length > decimals) return Number.NaN;
  const [whole = '0'] = number.split('.');
  const units = Number(whole + digits.padEnd(decimals, '0'));
  return units === 0 ? 0 : units;
}

function numberText(units: number, decimals: number): string {
  const sign = units < 0 ? '-' : '';
  const digits = String(Math.abs(units)).padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return sign + (decimals === 0 || fraction === '' ? whole : `${whole}.${fraction}`);
}
