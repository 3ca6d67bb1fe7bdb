import type { Common } from '../rules/settings.ts';
import type { MotionFigures } from './motion/figures.ts';
import type { MotionSettings } from './motion/settings.ts';
import type { MultipleFigures } from './multiple/figures.ts';
import type { MultipleSettings } from './multiple/settings.ts';
import type { NumericFigures } from './numeric/figures.ts';
import type { NumericSettings } from './numeric/settings.ts';
import type { PointsFigures } from './points/figures.ts';
import type { PointsSettings } from './points/settings.ts';
import type { PulseFigures } from './pulse/figures.ts';
import type { PulseSettings } from './pulse/settings.ts';
import type { QuizFigures } from './quiz/figures.ts';
import type { QuizSettings } from './quiz/settings.ts';
import type { RankingFigures } from './ranking/figures.ts';
import type { RankingSettings } from './ranking/settings.ts';
import type { RatingFigures } from './rating/figures.ts';
import type { RatingSettings } from './rating/settings.ts';
import type { ScoreFigures } from './score/figures.ts';
import type { ScoreSettings } from './score/settings.ts';
import type { SingleFigures } from './single/figures.ts';
import type { SingleSettings } from './single/settings.ts';
import type { TextFigures } from './text/figures.ts';
import type { TextSettings } from './text/settings.ts';

/**
 * The settings and result figures specific to each kind of poll. When a line is added here, the compiler reports the code that
 * is missing for the new kind.
 */
interface KindTypes {
  single: { settings: SingleSettings; figures: SingleFigures };
  motion: { settings: MotionSettings; figures: MotionFigures };
  multiple: { settings: MultipleSettings; figures: MultipleFigures };
  rating: { settings: RatingSettings; figures: RatingFigures };
  numeric: { settings: NumericSettings; figures: NumericFigures };
  points: { settings: PointsSettings; figures: PointsFigures };
  ranking: { settings: RankingSettings; figures: RankingFigures };
  score: { settings: ScoreSettings; figures: ScoreFigures };
  quiz: { settings: QuizSettings; figures: QuizFigures };
  text: { settings: TextSettings; figures: TextFigures };
  pulse: { settings: PulseSettings; figures: PulseFigures };
}

export type KindName = keyof KindTypes;

/** The settings specific to a kind. */
export type SettingsOf<Name extends KindName> = { [Each in Name]: KindTypes[Each]['settings'] }[Name];

/** The figures of a kind’s results. */
export type FiguresOf<Name extends KindName> = { [Each in Name]: KindTypes[Each]['figures'] }[Name];

/**
 * A question, its options and its rules, with defaults filled in. Fixed once the poll has been opened, except for the settings
 * in `MUTABLE_SETTINGS`.
 */
export type Definition<Name extends KindName = KindName> = {
  [Each in Name]: Common & SettingsOf<Each> & { readonly kind: Each };
}[Name];

type KeysOf<T> = T extends unknown ? keyof T : never;
type ValueOf<T, Key extends PropertyKey> = T extends unknown ? (Key extends keyof T ? T[Key] : never) : never;
type AnySettings = { readonly [Key in KeysOf<SettingsOf<KindName>>]?: ValueOf<SettingsOf<KindName>, Key> };

/** A definition as its author wrote it: with settings of any kind, without defaults, unchecked. */
export type Draft = Partial<Omit<Common, 'poll' | 'title'>> &
  Pick<Common, 'poll' | 'title'> &
  AnySettings & { readonly kind?: KindName };
