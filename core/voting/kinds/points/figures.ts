import type { OptionFigures, OptionResult } from '../figures/option-result.ts';

/** Counts are points; shares are of all points given. */
export interface PointsLine extends OptionResult {
  /** How many voters gave the option any points. */
  readonly voters: number;
}

export interface PointsFigures extends OptionFigures<PointsLine> {
  /** The total number of points given. */
  readonly points: number;
  /** The number of options that win, if the poll states it. */
  readonly seats?: number | undefined;
}
