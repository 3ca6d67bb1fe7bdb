import type { OptionFigures, OptionResult } from '../figures/option-result.ts';

/** Counts are sums of grades. */
export interface ScoreLine extends OptionResult {
  /** The mean grade; null if there are no ballots. */
  readonly mean: number | null;
}

/** The runoff of STAR voting. */
export interface StarFigures {
  readonly finalists?: readonly string[];
  readonly runoff?: readonly { readonly key: string; readonly preferredBy: number | string }[];
  /** Options tied for a place in the runoff, if it does not matter which of them gets it. */
  readonly level?: readonly string[];
}

export interface ScoreFigures extends OptionFigures<ScoreLine>, StarFigures {
  readonly method?: 'score' | 'star' | undefined;
}
