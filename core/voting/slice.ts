import { type Accounting, emptyAccounting } from './accounting.ts';
import type { Revote } from './rules.ts';
import type { Choice, Tally } from './tally.ts';

/** One partition's share of one round: its tally, its accounting, and whether votes count there now. */
export interface Slice {
  readonly poll: string;
  readonly round: number;
  readonly revote: Revote;
  open: boolean;
  readonly accounting: Accounting;
  readonly tally: Tally;
  /** When the newest entry that touched it was logged, ms since 1970. */
  atMs: number;
}

/** What one commit changed in a slice. Values are absolute, so applying it twice is harmless. */
export interface SliceChange {
  readonly poll: string;
  readonly round: number;
  readonly revote: Revote;
  readonly open: boolean;
  readonly accounting: Accounting;
  readonly atMs: number;
  /** The choices whose weight changed, with the weight they have now; 0 means gone. */
  readonly weights: readonly (readonly [Choice, number])[];
}

/** The slice an open marker starts. */
export function newSlice(poll: string, round: number, revote: Revote, atMs: number): Slice {
  return { poll, round, revote, open: true, accounting: emptyAccounting(), tally: new Map(), atMs };
}

/** The slice after `change`; a change of an unknown slice starts one. */
export function applyChange(slice: Slice | undefined, change: SliceChange): Slice {
  const tally = slice?.tally ?? new Map<Choice, number>();
  for (const [choice, weight] of change.weights) {
    if (weight === 0) tally.delete(choice);
    else tally.set(choice, weight);
  }
  const { poll, round, revote, open, accounting, atMs } = change;
  return { poll, round, revote, open, accounting, tally, atMs };
}

/** One name for a round, as map key. Ids cannot hold a slash. */
export function roundKey(poll: string, round: number): string {
  return `${poll}/${round}`;
}
