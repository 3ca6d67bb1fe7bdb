import { WITHDRAWN } from '../ballot.ts';
import { readCast } from '../cast.ts';

/** The number of `WITHDRAWN` in every book. */
export const NO_CAST = 0;

/** Numbers the casts of one round, so that what they say is read once per cast, not once per vote. */
export class CastBook {
  /** The casts by number. */
  readonly texts: string[] = [];
  /** For each cast, a number that it shares with all casts of the same choice. */
  readonly choiceOf: number[] = [];
  readonly isLate: boolean[] = [];
  /** Whether the time of the vote is part of the cast, as in a pulse. */
  readonly isTimed: boolean[] = [];
  private readonly numbers = new Map<string, number>();
  private readonly choices = new Map<string, number>();

  constructor() {
    this.numberOf(WITHDRAWN);
  }

  /** The number of a cast, a new one if it is new. */
  numberOf(cast: string): number {
    return this.numbers.get(cast) ?? this.add(cast);
  }

  private add(cast: string): number {
    const { choice, late, second } = readCast(cast);
    let number = this.choices.get(choice);
    if (number === undefined) this.choices.set(choice, (number = this.choices.size));
    this.numbers.set(cast, this.texts.length);
    this.choiceOf.push(number);
    this.isLate.push(late === true);
    this.isTimed.push(second !== undefined);
    return this.texts.push(cast) - 1;
  }
}
