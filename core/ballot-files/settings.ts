/** How a ballot file is counted. Everything is optional; what is absent follows from the file or the method. */
export interface CountSettings {
  readonly method?: string | undefined;
  readonly seats?: number | undefined;
  /** Of irv: when the count ends. */
  readonly until?: string | undefined;
  /** Of stv. */
  readonly rules?: string | undefined;
  readonly quota?: string | undefined;
  readonly decimals?: number | undefined;
  /** Of condorcet: what decides if no candidate beats every other. */
  readonly completion?: string | undefined;
  /** Of borda. */
  readonly variant?: string | undefined;
  /** Of approval: the share of the ballots that a candidate needs, such as `> 1/2`. */
  readonly candidateMajority?: string | undefined;
  /** Of score and star: the lowest and the highest grade. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly tieBreak?: 'none' | 'order' | 'lot' | undefined;
  /** For `tieBreak: lot`: the names of all candidates as drawn, or the seed that they are drawn from. */
  readonly lot?: readonly string[] | undefined;
  readonly seed?: string | undefined;
  /** Lots drawn after the count because of a tie: names of candidates who were level, the most favoured first. */
  readonly draws?: readonly (readonly string[])[] | undefined;
  /** Names of candidates who withdrew, besides those whom the file names. */
  readonly withdrawn?: readonly string[] | undefined;
}

/** Settings that only some methods take. */
export const METHOD_SETTINGS = [
  'seats',
  'until',
  'rules',
  'quota',
  'decimals',
  'completion',
  'variant',
  'candidateMajority',
  'min',
  'max',
] as const;
export type MethodSetting = (typeof METHOD_SETTINGS)[number];

/** The formats of ballot files, by the names that `pollcast count --format` takes. */
export const FORMAT_NAMES = ['blt', 'preflib', 'audit', 'cvr', 'scores'] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];
