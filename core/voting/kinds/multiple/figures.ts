import type { OptionFigures } from '../figures/option-result.ts';

export interface MultipleFigures extends OptionFigures {
  /** The number of options chosen on all ballots together. */
  readonly selections: number;
  readonly shareOf?: 'voters' | 'selections' | undefined;
}
