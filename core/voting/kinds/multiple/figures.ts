import type { OptionFigures } from '../figures/option-result.ts';

export interface MultipleFigures extends OptionFigures {
  /** The number of options chosen on all ballots together. */
  readonly selections: number;
  /** The number of options that win, if the poll states it. */
  readonly seats?: number | undefined;
  /** The options that reach the majority which each option needs, if the poll demands one. */
  readonly reached?: readonly string[];
  readonly shareOf?: 'voters' | 'selections' | undefined;
}
