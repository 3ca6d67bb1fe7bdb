import type { OptionFigures, OptionResult } from '../figures/option-result.ts';

export interface QuizLine extends OptionResult {
  /** Whether this option is right; only once the round is final, and not for orderings. */
  readonly correct?: boolean;
}

export interface QuizFigures extends OptionFigures<QuizLine> {
  readonly question?: 'single' | 'multiple' | 'ordering' | 'short' | undefined;
  /** This field and the next two are only present once the round is final. */
  readonly correct?: { readonly count: number; readonly share: number };
  readonly answer?: readonly string[];
  /** Null if there are no ballots. */
  readonly meanCredit?: number | null;
}
