import type { Ballot } from '../voting/count/ballot.ts';
import type { Offset } from './offset.ts';

/**
 * The place of the log up to which the ballots of a partition are stored. Those of later entries follow from the entries, which
 * are therefore kept. No marker comes after it, so every round is open or closed behind it as its slice says.
 */
export interface Checkpoint {
  readonly offset: Offset;
  /** What `Position.producers` was there: needed to tell which of the later entries are copies. */
  readonly producers: ReadonlyMap<string, number>;
}

/** Ballots of one round that a commit stores. */
export interface StoredPages {
  readonly poll: string;
  readonly round: number;
  /** Over how many pages the ballots of the round are spread from now on. */
  readonly count: number;
  /** The pages that have changed, as `BallotTable` writes them. */
  readonly pages: ReadonlyMap<number, Uint8Array>;
  /** True if ballots of earlier versions are among these, one value each, and must be removed. */
  readonly replacesRows: boolean;
}

/** What is stored of the ballots of a round. All of it was read at one moment. */
export interface FoundBallots {
  /** The offset up to which these ballots were counted: the partition’s checkpoint when they were read. */
  readonly checkpoint: Offset;
  /** Over how many pages the round is spread; 0 if it has none. */
  readonly count: number;
  readonly pages: ReadonlyMap<number, Uint8Array>;
  /** Ballots as earlier versions stored them. If there are any, there are no pages. */
  readonly rows: readonly (readonly [voter: string, ballot: Ballot])[];
}

/** How many bytes of ballots a checkpoint stores. */
export function bytesOf(rounds: readonly StoredPages[]): number {
  let bytes = 0;
  for (const { pages } of rounds) for (const page of pages.values()) bytes += page.length;
  return bytes;
}
