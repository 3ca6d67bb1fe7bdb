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
  /** Set if the record stands for several old rounds that are no longer kept separately. */
  readonly isMerged?: boolean | undefined;
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
  isMerged: undefined,
};

/** The record fields of an object that contains them, except `isMerged`. */
export function recordOf({
  openedAtMs,
  closesAtMs,
  stoppedAtMs,
  closedAtMs,
  electorate,
  presentAtOpen,
  presentAtClose,
  seed,
  lot,
}: RoundRecord): RoundRecord {
  return { openedAtMs, closesAtMs, stoppedAtMs, closedAtMs, electorate, presentAtOpen, presentAtClose, seed, lot };
}
