import type { OptionFigures } from '../figures/option-result.ts';

/** The ratings of one thing. Statistics count voters; in weighted polls, shares and `weightedMean` are by weight. */
export interface Rating extends OptionFigures {
  readonly n: number;
  readonly mean: number | null;
  readonly median: number | null;
  /** The sample standard deviation. */
  readonly standardDeviation: number | null;
  /** The share of ratings that are among the `top` highest grades. */
  readonly topBox: number;
  readonly weightedMean?: number | null;
  /** Only on a scale from 0 to 10. */
  readonly netPromoterScore?: number | null;
}

export interface ItemRating extends Rating {
  readonly key: string;
  readonly label: string;
}

/** Ratings of several things. The options contain the grades of all things together, as an overview. */
interface ItemFigures extends OptionFigures {
  readonly items: readonly ItemRating[];
}

export type RatingFigures = (Rating & { readonly items?: undefined }) | ItemFigures;
