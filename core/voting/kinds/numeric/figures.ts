import type { OptionFigures } from '../figures/option-result.ts';

/** How good the guesses were. Present only once the round is final, and only if there is a right answer. */
export interface Estimate {
  readonly answer?: number;
  readonly correct?: { readonly count: number; readonly share: number };
  readonly nearest?: { readonly numbers: readonly string[]; readonly count: number };
}

/**
 * The options are the bars of the histogram. Statistics count voters, not weights; quantiles are of type 7 (Hyndman and Fan
 * 1996).
 */
export interface NumericFigures extends OptionFigures, Estimate {
  readonly n: number;
  readonly mean: number | null;
  readonly median: number | null;
  /** The sample standard deviation. */
  readonly standardDeviation: number | null;
  readonly trimmedMean: number | null;
  readonly least: number | null;
  readonly most: number | null;
  /** By name: p5, p25, p50, p75, p95. */
  readonly quantiles: Readonly<Record<string, number | null>>;
}
