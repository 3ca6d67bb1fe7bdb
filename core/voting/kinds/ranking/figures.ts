import type { TieBreaker } from '../../rules/tie.ts';
import type { OptionFigures } from '../figures/option-result.ts';

/** A number of ballots and, in weighted polls, their exact weight as text. */
export interface BallotSum {
  readonly count: number;
  readonly weight?: string;
}

/** What broke a tie: the latest earlier round in which the options were not tied, the order of the options, or a lot. */
export type TieBrokenBy = 'earlier rounds' | TieBreaker['by'];

/** One round of an instant runoff. */
export interface RunoffRound {
  readonly counts: readonly (BallotSum & { readonly key: string })[];
  /** Ballots that rank none of the remaining options. */
  readonly exhausted: BallotSum;
  readonly eliminated: readonly string[];
  /** Options that were tied for last place, although only one of them was eliminated. */
  readonly tied?: readonly string[];
  /** What broke the tie; absent if every way of breaking it leads to the same winner. */
  readonly tieBrokenBy?: TieBrokenBy;
}

/** One stage of an STV count. */
export interface TransferStage {
  readonly what: 'first preferences' | 'surplus' | 'exclusion' | 'last places';
  /** The option whose ballots were transferred; if several were excluded together, one of them. */
  readonly of?: string;
  /** The votes of each option after the stage. */
  readonly votes: readonly { readonly key: string; readonly votes: string }[];
  /** Votes that could not be transferred to any option, and fractions lost by truncation. */
  readonly nonTransferable: string;
  readonly elected: readonly string[];
  readonly excluded: readonly string[];
  /** Options that were tied, although only one of them was picked. */
  readonly tied?: readonly string[];
  /** What broke the tie; absent if every way of breaking it leads to the same winners. */
  readonly tieBrokenBy?: TieBrokenBy;
  /** The quota at this stage, if it changes from stage to stage. */
  readonly quota?: string;
}

interface RunoffFigures {
  readonly method: 'irv';
  readonly rounds: readonly RunoffRound[];
}

interface TransferFigures {
  readonly method: 'stv';
  readonly seats: number;
  readonly quota: string;
  readonly stages: readonly TransferStage[];
}

interface BordaFigures {
  readonly method: 'borda';
  readonly variant: 'standard' | 'modified' | 'averaged' | 'dowdall';
  readonly points: readonly { readonly key: string; readonly points: number }[];
}

interface CondorcetFigures {
  readonly method: 'condorcet';
  /** In each cell, the votes that prefer the option of the row to the option of the column; null on the diagonal. */
  readonly matrix: readonly (readonly (number | string | null)[])[];
  readonly condorcetWinner: string | null;
  /** True if there was no Condorcet winner, and `completion` decided. */
  readonly completed: boolean;
  readonly completion?: 'ranked-pairs' | 'schulze';
  /** schulze: in each cell, the strength of the strongest path from the option of the row to that of the column. */
  readonly paths?: readonly (readonly (number | string | null)[])[];
  readonly locked?: readonly { readonly over: string; readonly under: string; readonly votes: number | string }[];
}

/** The options’ counts are first preferences; the other figures depend on the method. */
export type RankingFigures = OptionFigures & (RunoffFigures | TransferFigures | BordaFigures | CondorcetFigures);
