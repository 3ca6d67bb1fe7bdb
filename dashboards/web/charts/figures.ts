import type { OptionResult } from '../../../core/voting/kinds/kind.ts';
import type { Result } from '../../../core/voting/result.ts';

/** An option's line, with what kinds add to it. */
export interface Line extends OptionResult {
  /** quiz, final: it was right. */
  readonly correct?: boolean;
  /** score: mean grade. */
  readonly mean?: number | null;
  /** points: who gave any. */
  readonly voters?: number;
}

/** One thing that was rated, or a rating of one thing. */
export interface Rating {
  readonly key?: string;
  readonly label?: string;
  readonly options: readonly Line[];
  readonly n: number;
  readonly mean: number | null;
  readonly median: number | null;
  readonly standardDeviation: number | null;
  readonly topBox?: number;
  readonly netPromoterScore?: number | null;
}

export interface RunoffRound {
  readonly counts: readonly { readonly key: string; readonly count: number; readonly weight?: string }[];
  readonly exhausted: { readonly count: number };
  readonly eliminated: readonly string[];
  readonly tied?: readonly string[];
}

export interface TransferStage {
  readonly what: 'first preferences' | 'surplus' | 'exclusion' | 'last places';
  readonly of?: string;
  readonly votes: readonly { readonly key: string; readonly votes: string }[];
  readonly nonTransferable: string;
  readonly elected: readonly string[];
  readonly excluded: readonly string[];
}

/** A result with the figures of every kind, each there where its kind has it. */
export interface Figures extends Result {
  readonly options: readonly Line[];
  readonly winners?: readonly string[];
  readonly tied?: readonly string[];
  readonly unresolved?: readonly string[];
  readonly method?: 'irv' | 'stv' | 'borda' | 'condorcet' | 'score' | 'star';
  readonly rounds?: readonly RunoffRound[];
  readonly stages?: readonly TransferStage[];
  readonly seats?: number;
  readonly quota?: string;
  readonly matrix?: readonly (readonly (number | string | null)[])[];
  readonly condorcetWinner?: string | null;
  /** Of Borda by option; of a poll about points all points given. */
  readonly points?: readonly { readonly key: string; readonly points: number }[] | number;
  readonly runoff?: readonly { readonly key: string; readonly preferredBy: number | string }[];
  readonly items?: readonly Rating[];
  readonly mean?: number | null;
  readonly median?: number | null;
  readonly standardDeviation?: number | null;
  readonly trimmedMean?: number | null;
  readonly n?: number;
  readonly topBox?: number;
  readonly netPromoterScore?: number | null;
  readonly quantiles?: Readonly<Record<string, number | null>>;
  readonly least?: number | null;
  readonly most?: number | null;
  readonly answer?: number | readonly string[];
  readonly correct?: { readonly count: number; readonly share: number };
  readonly nearest?: { readonly numbers: readonly string[]; readonly count: number };
  readonly question?: 'single' | 'multiple' | 'ordering' | 'short';
  readonly selections?: number;
  readonly shareOf?: 'voters' | 'selections';
  readonly phrases?: number;
  readonly windowMs?: number;
}

/** The same result, its kind's figures named. */
export const figuresOf = (result: Result): Figures => result as unknown as Figures;

/** What an option is called. */
export function labelIn(result: Figures, key: string): string {
  return result.options.find((option) => option.key === key)?.label ?? key;
}

/** Ways to look at a result; the first is shown first. */
export type View =
  | 'bars'
  | 'distribution'
  | 'items'
  | 'rounds'
  | 'seats'
  | 'points'
  | 'matrix'
  | 'runoff'
  | 'cloud'
  | 'leaderboard'
  | 'groups'
  | 'verdict'
  | 'timeline'
  | 'join';

/** The views that fit a result: by its kind, and by what there is to see. What decides comes before what is only counted. */
export function viewsOf(result: Result, has: { readonly leaderboard: boolean; readonly join: boolean }): View[] {
  const { kind, hidden, question, items, rounds, stages, matrix, points, runoff, groups, verdict } = figuresOf(result);
  const isWords = kind === 'text' || (kind === 'quiz' && question === 'short');
  const isNumbers = kind === 'rating' || kind === 'numeric';
  const views: readonly (readonly [View, unknown])[] = hidden
    ? [[isNumbers ? 'distribution' : isWords ? 'cloud' : 'bars', true]]
    : [
        ['items', items],
        ['rounds', rounds],
        ['seats', stages],
        ['points', Array.isArray(points)],
        ['matrix', matrix],
        ['runoff', runoff && result.final],
        ['distribution', isNumbers],
        ['cloud', isWords],
        ['bars', !isNumbers && !isWords],
        ['runoff', runoff && !result.final],
        ['leaderboard', has.leaderboard],
        ['verdict', verdict],
        ['groups', groups && groups.length > 0],
        ['timeline', result.round > 0],
      ];
  return [...views, ['join', has.join] as const].filter(([, isThere]) => isThere).map(([view]) => view);
}
