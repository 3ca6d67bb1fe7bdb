/** Whole numbers in ascending order, with how often each occurs. */
export type Frequencies = readonly (readonly [value: number, times: number])[];

/** Adds up the frequencies of equal values and sorts them. */
export function frequenciesOf(values: Iterable<readonly [value: number, times: number]>): Frequencies {
  const times = new Map<number, number>();
  for (const [value, count] of values) times.set(value, (times.get(value) ?? 0) + count);
  return [...times].sort(([a], [b]) => a - b);
}

/** The number of values. */
export function sizeOf(frequencies: Frequencies): number {
  return frequencies.reduce((sum, [, times]) => sum + times, 0);
}

/** The arithmetic mean; null if there are no values. Sums are exact. */
export function meanOf(frequencies: Frequencies): number | null {
  const { n, sum } = momentsOf(frequencies);
  return n === 0n ? null : Number(sum) / Number(n);
}

/** The sample standard deviation (divided by n - 1); null for fewer than two values. */
export function standardDeviationOf(frequencies: Frequencies): number | null {
  const { n, sum, squares } = momentsOf(frequencies);
  if (n < 2n) return null;
  return Math.sqrt(Number(n * squares - sum * sum) / Number(n * (n - 1n)));
}

function momentsOf(frequencies: Frequencies): { n: bigint; sum: bigint; squares: bigint } {
  let [n, sum, squares] = [0n, 0n, 0n];
  for (const [value, times] of frequencies) {
    const [x, count] = [BigInt(value), BigInt(times)];
    n += count;
    sum += x * count;
    squares += x * x * count;
  }
  return { n, sum, squares };
}

/**
 * The quantile of probability `p`, 0 to 1, by linear interpolation between order statistics: type 7 of Hyndman and Fan,
 * "Sample quantiles in statistical packages" (1996), the default of R, NumPy and spreadsheets. Null if there are no values.
 */
export function quantileOf(frequencies: Frequencies, p: number): number | null {
  const n = sizeOf(frequencies);
  if (n === 0) return null;
  const place = (n - 1) * p;
  const below = valueAt(frequencies, Math.floor(place));
  const above = valueAt(frequencies, Math.ceil(place));
  return below + (place - Math.floor(place)) * (above - below);
}

/** The value at a position of the sorted sample, counted from 0. */
function valueAt(frequencies: Frequencies, place: number): number {
  let before = 0;
  for (const [value, times] of frequencies) {
    before += times;
    if (place < before) return value;
  }
  return frequencies.at(-1)?.[0] ?? Number.NaN;
}

/**
 * The trimmed mean: at each end, the share `trim` of the values is left out, rounded down to a whole number of values. Null if
 * there are no values.
 */
export function trimmedMeanOf(frequencies: Frequencies, trim: number): number | null {
  const n = sizeOf(frequencies);
  // Guards against rounding errors: 0.29 of 100 is 29, but floating point makes it less.
  const cut = Math.floor(n * trim + 1e-9);
  let before = 0;
  const kept = frequencies.map(([value, times]) => {
    const [first, last] = [Math.max(before, cut), Math.min(before + times, n - cut)];
    before += times;
    return [value, Math.max(0, last - first)] as const;
  });
  return meanOf(kept);
}

/**
 * The Net Promoter Score of grades from 0 to 10: the percentage of promoters (9, 10) minus that of detractors (0 to 6), from
 * -100 to 100; Reichheld, "The One Number You Need to Grow" (2003). Null if there are no values.
 */
export function netPromoterScoreOf(frequencies: Frequencies): number | null {
  const n = sizeOf(frequencies);
  if (n === 0) return null;
  const balance = frequencies.reduce((sum, [grade, times]) => sum + (grade >= 9 ? times : grade <= 6 ? -times : 0), 0);
  return (100 * balance) / n;
}
