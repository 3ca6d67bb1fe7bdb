/** How a ballot file is counted. Everything is optional; what is absent follows from the file or the method. */
export interface CountSettings {
  readonly method?: string | undefined;
  readonly seats?: number | undefined;
  /** Of stv. */
  readonly rules?: string | undefined;
  readonly quota?: string | undefined;
  readonly decimals?: number | undefined;
  /** Of condorcet: what decides if no candidate beats every other. */
  readonly completion?: string | undefined;
  /** Of borda. */
  readonly variant?: string | undefined;
  /** Of score and star: the highest grade. */
  readonly max?: number | undefined;
  readonly tieBreak?: 'none' | 'order' | 'lot' | undefined;
  /** The names of all candidates as drawn; needed for `tieBreak: lot` unless there is a seed. */
  readonly lot?: readonly string[] | undefined;
  /** The seed that the lot is drawn from. */
  readonly seed?: string | undefined;
  /** Names of candidates who withdrew, besides those whom the file names. */
  readonly withdrawn?: readonly string[] | undefined;
}

/** Settings that only some methods take. */
export const METHOD_SETTINGS = ['seats', 'rules', 'quota', 'decimals', 'completion', 'variant', 'max'] as const;
export type MethodSetting = (typeof METHOD_SETTINGS)[number];

/** The formats of ballot files, by the names that `pollcast count --format` takes. */
export const FORMAT_NAMES = ['blt', 'preflib', 'audit', 'cvr', 'scores'] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];
