import type { RoundRecord } from '../rules/record.ts';
import type { Common } from '../rules/settings.ts';
import type { RejectionCounts } from './accounting.ts';
import type { VoteColumns } from './entries/columns.ts';

/** The votes of one round in an entry, in order of arrival, and the number of payloads that the broker rejected. */
export interface RoundVotes {
  readonly poll: string;
  readonly round: number;
  readonly votes: VoteColumns;
  readonly rejected: RejectionCounts;
}

/** The votes that a broker has accepted for one partition since its last append. */
export interface VoteEntry {
  readonly type: 'votes';
  /** The broker’s run id, new at each start. Together with `sequence`, it distinguishes a re-sent entry from a new one. */
  readonly producer: string;
  /** Increases by one with each entry that this producer appends to this partition. */
  readonly sequence: number;
  readonly atMs: number;
  readonly rounds: readonly RoundVotes[];
  /** Rejected payloads that could not be matched to a poll, so no round can account for them. */
  readonly refused: RejectionCounts;
}

/**
 * Opens a round in one partition, or continues it after an interruption. It carries the definition, so that the round can be
 * recounted from the log alone.
 */
export interface OpenMarker {
  readonly type: 'open';
  readonly poll: string;
  readonly round: number;
  readonly atMs: number;
  readonly definition: Common;
  /** Everything else that the result depends on. Absent in logs of earlier versions. */
  readonly record?: RoundRecord | undefined;
}

/** Closes a round in one partition: later votes do not count. */
export interface CloseMarker {
  readonly type: 'close';
  readonly poll: string;
  readonly round: number;
  readonly atMs: number;
  readonly record?: RoundRecord | undefined;
}

export type Marker = OpenMarker | CloseMarker;

/** How many interruptions of its round a marker comes after. This tells the markers of a continued round apart. */
export function interruptionsBefore({ record }: Marker): number {
  return record?.interruptions?.length ?? 0;
}
export type Entry = VoteEntry | Marker;

/**
 * The newest format that this version reads and writes. A change that older versions would misread raises it. 1: JSON, in which
 * markers are still written. 2: votes as bytes.
 */
export const ENTRY_FORMAT = 2;
/** An entry that cannot be read, because it is damaged. What it contained is not known, not even its round. */
export interface UnreadableEntry {
  readonly type: 'unreadable';
  /** What is wrong with it, without its content. */
  readonly why: string;
  /** As it was found: text, if it may once have been that. */
  readonly content: string | Buffer;
}

/** An entry in a newer format. It is not damaged, so it must wait for a process that can read it. */
export interface NewerEntry {
  readonly type: 'newer';
  readonly format: number;
}

/** What is found at a place of the log. */
export type FoundEntry = Entry | UnreadableEntry | NewerEntry;
