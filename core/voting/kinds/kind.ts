import type { Definition } from '../poll.ts';
import type { Rejection } from '../rejection.ts';
import type { Choice } from '../tally.ts';

/** One line of a result. `share` is between 0 and 1, of the ballots; both are null while figures are hidden. */
export interface OptionResult {
  readonly key: string;
  readonly label: string;
  readonly count: number | null;
  readonly share: number | null;
}

/** What a kind adds to a result: a line per option, and its own figures. */
export interface KindResult {
  readonly options: readonly OptionResult[];
  readonly [figure: string]: unknown;
}

/**
 * A kind of poll: a parser and a result function, both pure. A new kind is one more of these;
 * broker, processor and store never learn of it.
 */
export interface Kind {
  /** The definition with the kind's defaults filled in. Called before `problems`. */
  complete(definition: Definition): Definition;
  /** What is wrong with the kind's own settings, each as a sentence; empty when nothing is. */
  problems(definition: Definition): string[];
  /** The canonical choice in `text`, or why it is none. Never throws. */
  parse(text: string, definition: Definition): Choice | Rejection;
  /** The result of a tally. */
  result(definition: Definition, tally: ReadonlyMap<Choice, number>): KindResult;
}

/** `part` of `whole` as a share between 0 and 1; 0 of nothing. */
export function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
