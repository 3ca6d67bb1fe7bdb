import type { Revote } from '../rules/settings.ts';
import { type Accounting, emptyAccounting } from './accounting.ts';
import type { Choice, Tally } from './tally.ts';

/** One partition’s share of one round: its tally, its accounting and whether it is open. */
export interface Slice {
  readonly poll: string;
  readonly round: number;
  readonly revote: Revote;
  open: boolean;
  /** How often the round had been continued when its last marker was written; absent for never. */
  interruptions?: number | undefined;
  /**
   * How often entries of the log could not be read, or counted ones were gone, while votes counted; absent for never. Votes of the
   * round may be missing.
   */
  missing?: number | undefined;
  readonly accounting: Accounting;
  readonly tally: Tally;
  /**
   * The latest time at which an entry that touched the slice was logged, in ms since 1970. It never decreases, even if clocks
   * differ or are set back.
   */
  atMs: number;
}

/** What folding a batch of entries changed in a slice. Values are absolute, so applying a change twice is harmless. */
export interface SliceChange {
  readonly poll: string;
  readonly round: number;
  readonly revote: Revote;
  readonly open: boolean;
  readonly interruptions?: number | undefined;
  readonly missing?: number | undefined;
  readonly accounting: Accounting;
  readonly atMs: number;
  /** The choices whose number of ballots changed, with their new number; 0 removes the choice. */
  readonly weights: readonly (readonly [Choice, number])[];
}

/** The part of a slice that is stored apart from its tally. */
export type StoredSlice = Pick<Slice, 'revote' | 'open' | 'interruptions' | 'missing' | 'accounting' | 'atMs'>;

/** The part of a slice or of a change that is stored apart from its tally. */
export function storedSlice({ revote, open, interruptions, missing, accounting, atMs }: StoredSlice): StoredSlice {
  return { revote, open, interruptions, missing, accounting, atMs };
}

/** The slice that an open marker creates. */
export function newSlice(poll: string, round: number, revote: Revote, atMs: number): Slice {
  return { poll, round, revote, open: true, accounting: emptyAccounting(), tally: new Map(), atMs };
}

/** Applies a change to a slice, or to a new one if `slice` is undefined. An existing slice’s tally is changed in place. */
export function applyChange(slice: Slice | undefined, change: SliceChange): Slice {
  const tally = slice?.tally ?? new Map<Choice, number>();
  for (const [choice, weight] of change.weights) {
    if (weight === 0) tally.delete(choice);
    else tally.set(choice, weight);
  }
  const { poll, round } = change;
  return { poll, round, ...storedSlice(change), tally };
}

/** The map key of a round. It is unambiguous, because ids cannot contain a slash. */
export function roundKey(poll: string, round: number): string {
  return `${poll}/${round}`;
}
