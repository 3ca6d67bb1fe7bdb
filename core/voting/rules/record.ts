import type { Roll } from './roll.ts';

/**
 * A closing of a round after which voting was continued, with what had been recorded about that closing. Times are in ms since
 * 1970.
 */
export interface Interruption {
  /** When the round was to close automatically. */
  readonly closesAtMs?: number | undefined;
  readonly stoppedAtMs?: number | undefined;
  readonly closedAtMs: number;
  readonly presentAtClose?: Roll | undefined;
  /** Lots drawn while the round was closed. They do not count any more, because more votes have been cast since. */
  readonly draws?: readonly Draw[] | undefined;
  /** When voting went on; absent while the round is about to be continued. */
  readonly continuedAtMs?: number | undefined;
}

/** What is kept about a round, apart from its count. Times are in ms since 1970. */
export interface RoundRecord {
  readonly openedAtMs?: number | undefined;
  /** When the round closes automatically. */
  readonly closesAtMs?: number | undefined;
  /** When voting ended; votes that arrive later only count as late votes. */
  readonly stoppedAtMs?: number | undefined;
  readonly closedAtMs?: number | undefined;
  /** Everyone who may vote, as of the opening; absent if that is unknown. */
  readonly electorate?: Roll | undefined;
  /** Voters whose devices were connected; only if a majority or quorum of the poll depends on them. */
  readonly presentAtOpen?: Roll | undefined;
  readonly presentAtClose?: Roll | undefined;
  /** tieBreak lot: the seed, and the option keys in the order drawn. Of tied options, the one drawn first wins. */
  readonly seed?: string | undefined;
  readonly lot?: readonly string[] | undefined;
  /**
   * Lots drawn by people after the close, because nothing else broke a tie: the tied option keys in the order drawn. Of tied
   * options, the one drawn first wins.
   */
  readonly draws?: readonly Draw[] | undefined;
  /** Options withdrawn after the close, and when. */
  readonly withdrawals?: readonly Withdrawal[] | undefined;
  /** How often the round was closed and then continued, oldest first; absent if it never was. */
  readonly interruptions?: readonly Interruption[] | undefined;
  /** How many entries of the log could not be read while votes counted; absent for none. */
  readonly missing?: number | undefined;
  /** Set if the record stands for several old rounds that are no longer kept separately. */
  readonly isMerged?: boolean | undefined;
}

export interface Draw {
  readonly order: readonly string[];
  readonly atMs: number;
}

export interface Withdrawal {
  readonly option: string;
  readonly atMs: number;
}

/** The record of a round about which nothing is known yet. */
export const NO_RECORD: Record<keyof RoundRecord, undefined> = {
  openedAtMs: undefined,
  closesAtMs: undefined,
  stoppedAtMs: undefined,
  closedAtMs: undefined,
  electorate: undefined,
  presentAtOpen: undefined,
  presentAtClose: undefined,
  seed: undefined,
  lot: undefined,
  draws: undefined,
  withdrawals: undefined,
  interruptions: undefined,
  missing: undefined,
  isMerged: undefined,
};

/** The record fields of an object that contains them, except `isMerged`. */
export function recordOf(record: RoundRecord): RoundRecord {
  const fields = Object.keys(NO_RECORD) as (keyof RoundRecord)[];
  return Object.fromEntries(fields.filter((field) => field !== 'isMerged').map((field) => [field, record[field]]));
}

/** When voting began for the last time: when the round was opened, or else when it was last continued. */
export function begunAtMs({ openedAtMs, interruptions = [] }: RoundRecord): number | undefined {
  return interruptions.findLast(({ continuedAtMs }) => continuedAtMs !== undefined)?.continuedAtMs ?? openedAtMs;
}

/** For how long, in ms, voting was interrupted before a time (ms since 1970). */
export function interruptedMs({ interruptions = [] }: RoundRecord, untilMs: number): number {
  return interruptions.reduce((sum, { closedAtMs, stoppedAtMs = closedAtMs, continuedAtMs = untilMs }) => {
    return sum + Math.max(0, Math.min(continuedAtMs, untilMs) - stoppedAtMs);
  }, 0);
}

/** True if a time (ms since 1970) lies between a closing of the round and its continuation. */
export function isInterruptedAt({ interruptions = [] }: RoundRecord, atMs: number): boolean {
  return interruptions.some(({ closedAtMs, stoppedAtMs = closedAtMs, continuedAtMs = Number.POSITIVE_INFINITY }) => {
    return atMs > stoppedAtMs && atMs < continuedAtMs;
  });
}
