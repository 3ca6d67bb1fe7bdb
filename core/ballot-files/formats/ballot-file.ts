import { castOf } from '../../voting/count/cast.ts';
import type { Tally } from '../../voting/count/tally.ts';
import { formatWeight, ONE, parseWeight, WEIGHT_RULE, type Weight } from '../../voting/rules/weight.ts';
import type { CountSettings } from '../settings.ts';

/** The most candidates that a file may have. Some methods compare each candidate with every other. */
export const MAX_CANDIDATES = 1_000;
/** The most different ballots that a file may have. Identical ballots are merged, so a file may have more lines than this. */
export const MAX_DIFFERENT_BALLOTS = 4_000_000;
/** The most ballots that a file may have, so that sums of ballots are exact. */
export const MAX_BALLOTS = 1_000_000_000_000;

/** What ballots of a file say: in which order voters prefer the candidates, or which grade they give each of them. */
export type BallotForm = 'ranks' | 'grades';

/**
 * The contents of a ballot file. Candidates may have any name and may be more than a poll allows, so ballots use short keys
 * (`keyOf`) for them.
 */
export interface BallotFile {
  readonly title?: string | undefined;
  /** The number of candidates to be elected, if the file says so. */
  readonly seats?: number | undefined;
  /** The names of the candidates, in the order of the file. */
  readonly candidates: readonly string[];
  /** Indices of candidates who withdrew before the count. */
  readonly withdrawn: readonly number[];
  readonly form: BallotForm;
  /**
   * The ballots, identical ones merged. Their choices are `c2>c1=c3` (ranks) or `c1:5,c2:0` (grades); each ballot names at
   * least one candidate, and none twice.
   */
  readonly tally: Tally;
  /** The number of ballots that name no candidate. */
  readonly blank: number;
  /** What the reader of the result should know, such as ballots that were shortened because of overvotes. */
  readonly notes: readonly string[];
  /** How the file itself says that it is counted; only audit bundles say so. */
  readonly declared?: CountSettings | undefined;
}

/** The key of the candidate with this index. Its letter keeps it apart from numbers of votes. */
export function keyOf(index: number): string {
  return `c${index + 1}`;
}

/** A place in a file: line and column, both counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A ballot file cannot be read. The message says what is wrong and what is expected instead. */
export class BallotFileError extends Error {
  override readonly name = 'BallotFileError';
  readonly place: Place;

  constructor(place: Place, message: string) {
    super(message);
    this.place = place;
  }
}

/** Reads a file line by line. `take` and `end` throw `BallotFileError`. */
export interface BallotReader {
  /** @param line the number of the line, counted from 1 */
  take(text: string, line: number): void;
  /** Called after the last line. */
  end(): BallotFile;
}

/** Collects ballots and merges identical ones. */
export class BallotBox {
  readonly tally = new Map<string, number>();
  blank = 0;
  private total = 0;

  /**
   * Adds identical ballots.
   *
   * @param choice empty if the ballots name no candidate
   * @param count the number of ballots as text; a number with decimals is one ballot with this weight
   */
  add(choice: string, count: string, place: Place): void {
    const { heads, weight } = ballotsOf(count, place);
    this.total += heads;
    if (this.total > MAX_BALLOTS)
      throw new BallotFileError(place, `more than ${MAX_BALLOTS} ballots; a file may not have more`);
    if (choice === '') {
      this.blank += heads;
      return;
    }
    const cast = castOf(choice, { weight });
    const before = this.tally.get(cast);
    if (before === undefined && this.tally.size >= MAX_DIFFERENT_BALLOTS) {
      throw new BallotFileError(
        place,
        `more than ${MAX_DIFFERENT_BALLOTS} different ballots; a file may not have more`,
      );
    }
    this.tally.set(cast, (before ?? 0) + heads);
  }
}

function ballotsOf(text: string, place: Place): { heads: number; weight?: string } {
  if (text === '1') return { heads: 1 };
  const weight: Weight | undefined = parseWeight(text.replace(/^0+(?=\d)/, ''));
  if (weight === undefined) {
    throw new BallotFileError(place, `the number of ballots is ${quoted(text)}; expected ${WEIGHT_RULE}`);
  }
  if (weight % ONE === 0n) return { heads: Number(weight / ONE) };
  return { heads: 1, weight: formatWeight(weight) };
}

/** Names made unique: the second `Smith` becomes `Smith (2)`. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set(names);
  const seen = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let number = 2; seen.has(unique); number++) {
      const numbered = `${name} (${number})`;
      if (!taken.has(numbered)) unique = numbered;
    }
    seen.add(unique);
    return unique;
  });
}

/** Text from a file as shown in messages: in quotation marks, shortened if it is long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

/** `1 ballot`, `2 ballots`. */
export function numbered(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
