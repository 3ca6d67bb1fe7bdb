import type { Roll } from './roll.ts';

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
  isMerged: undefined,
};

/** The record fields of an object that contains them, except `isMerged`. */
export function recordOf(record: RoundRecord): RoundRecord {
  const fields = Object.keys(NO_RECORD) as (keyof RoundRecord)[];
  return Object.fromEntries(fields.filter((field) => field !== 'isMerged').map((field) => [field, record[field]]));
}
