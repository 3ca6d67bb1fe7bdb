import type { OptionFigures } from '../figures/option-result.ts';

/** The options are the phrases sent by the most voters, most frequent first. Shares are of voters. */
export interface TextFigures extends OptionFigures {
  /** The number of different phrases, including those not listed in the options, but not hidden ones. */
  readonly phrases: number;
}
