import type { SliceChange } from '../../voting/count/slice.ts';
import type { Poll } from '../../voting/poll/poll.ts';
import type { OpenResult } from '../../voting/result/result.ts';

/** What the calculator’s thread is asked to do with the round `key`. Orders are carried out in the order in which they are sent. */
export type Order =
  /** Begin a copy of the round. */
  | { readonly do: 'hold'; readonly key: string; readonly partitions: number }
  /** Apply a change, or a piece of a slice in the form of a change, to the copy. */
  | { readonly do: 'apply'; readonly key: string; readonly partition: number; readonly change: SliceChange }
  | { readonly do: 'drop'; readonly key: string }
  | { readonly do: 'compute'; readonly key: string; readonly id: number; readonly poll: Poll; readonly nowMs: number };

/** A computed result, and until when (ms since 1970) it holds if nothing is counted; see `changesAt`. */
export interface Computed {
  readonly result: OpenResult;
  readonly untilMs: number;
}

/** The answer to the `compute` order with the same id. */
export type Answer =
  | (Computed & { readonly id: number; readonly problem?: undefined })
  /** `isLost`: there is no copy of the round. */
  | { readonly id: number; readonly problem: string; readonly isLost?: boolean };
