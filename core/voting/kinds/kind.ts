import type { Bundle } from '../cast.ts';
import type { Definition, KindSettings } from '../poll.ts';
import type { Rejection } from '../rejection.ts';
import type { Choice } from '../tally.ts';
import type { TieBreaker } from '../tie.ts';

/** One line of a result. Figures are null while they are hidden. */
export interface OptionResult {
  readonly key: string;
  readonly label: string;
  /** Ballots; with points, points. */
  readonly count: number | null;
  /** Between 0 and 1; of weight where the poll is weighted. */
  readonly share: number | null;
  /** Exact, as text; only where the poll is weighted. */
  readonly weight?: string;
}

/** What a kind adds to a result: a line per option, and its own figures. */
export interface KindResult {
  readonly options: readonly OptionResult[];
  readonly [figure: string]: unknown;
}

/** What a result may depend on beside the ballots. */
export interface Circumstances {
  readonly breaker?: TieBreaker | undefined;
  /** The round is over and counted: right answers may be told. */
  readonly isFinal: boolean;
}

/**
 * A kind of poll: a parser and a result function, both pure. A new kind is one more of these;
 * broker, processor and store never learn of it.
 */
export interface Kind {
  /** Its own settings; any other is a mistake. */
  readonly settings: readonly (keyof KindSettings)[];
  /** The definition with the kind's defaults filled in. Called before `problems`. */
  complete(definition: Definition): Definition;
  /** What is wrong with the kind's own settings, each as a sentence; empty when nothing is. */
  problems(definition: Definition): string[];
  /** The canonical choice in `text`, or why it is none. Never throws; a choice parses to itself and holds no `|`. */
  parse(text: string, definition: Definition): Choice | Rejection;
  /** The result of ballots. */
  result(definition: Definition, bundles: readonly Bundle[], circumstances: Circumstances): KindResult;
  /** What a choice is worth as an answer, 0 to 1; absent where there is no right one. */
  credit?(choice: Choice, definition: Definition): number;
}

const MAX_POINTS = 1_000_000;

/** What is wrong with the points of a right answer. */
export function pointProblems({ points = 0, speed = 0 }: Definition): string[] {
  const problems: string[] = [];
  if (points < 0 || points > MAX_POINTS) problems.push(`points: from 0 to ${MAX_POINTS}, not ${points}`);
  if (!(speed >= 0 && speed <= 1)) problems.push(`speed: from 0 to 1, not ${speed}`);
  return problems;
}

/** `part` of `whole` as a share between 0 and 1; 0 of nothing. */
export function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
