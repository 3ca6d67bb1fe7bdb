import type { RejectionCounts } from '../voting/count/accounting.ts';
import type { Ballot } from '../voting/count/ballot.ts';
import type { Entry, FoundEntry } from '../voting/count/entry.ts';
import type { Slice, SliceChange, StoredSlice } from '../voting/count/slice.ts';
import type { Lines } from './client-lines.ts';
import type { Offset } from './offset.ts';
import type { Checkpoint, FoundBallots, StoredPages } from './stored-ballots.ts';
import type { DeviceEvent } from './trail.ts';

export type { Claim, Ended, LineHolder, LineNotice, Lines } from './client-lines.ts';
export type { Checkpoint, FoundBallots, StoredPages } from './stored-ballots.ts';

/**
 * What Pollcast requires of a database. Every implementation passes test/contract/contract.ts.
 *
 * Only two guarantees are needed for an exact count: `log.append` resolves when the entry is durable, and `counts.commit` is
 * atomic and compares the offset and the checkpoint. Everything else may be slow, stale or repeated.
 */
export interface Store {
  readonly log: VoteLog;
  readonly counts: CountStore;
  readonly ballots: Ballots;
  readonly changes: ChangeFeed;
  readonly registry: Registry;
  readonly presence: Presence;
  readonly trails: Trails;
  readonly lines: Lines;
  /**
   * Whether the store takes entries now. It does not from the moment it refuses an append, or learns that it would have to, until
   * it knows that it can append again. It finds that out by trying, without an append by somebody else: a process that is not
   * ready receives no votes. Never waits, so the answer may be as old as the last attempt.
   */
  condition(): Condition;
  /** Waits for work in progress, then closes. Safe to call twice. */
  close(): Promise<void>;
}

/** Whether a store takes entries. If not, `reason` is a sentence for operators that says what is wrong and what helps. */
export type Condition =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly reason: string;
      /** True if stored data is gone, so that polls and results which this process still has in memory may not exist any more. */
      readonly isGone?: boolean;
    };

/** How much a read may return, and how long it may wait. */
export interface ReadOptions {
  /** The maximum number of entries per partition. */
  readonly limit: number;
  /** How long in ms to wait if there is nothing yet; 0 returns immediately. */
  readonly waitMs: number;
  /** Ends the wait early. The read then returns what it finds, usually nothing. */
  readonly signal?: AbortSignal | undefined;
}

export interface LoggedEntry {
  readonly offset: Offset;
  readonly entry: FoundEntry;
}

/** The maximum time in ms for which an append may try. */
export const MAX_APPEND_MS = 4_500;

/** One append-only stream of entries per partition. */
export interface VoteLog {
  /** How many partitions this deployment has; fixed at its first start and stored with the data. */
  readonly partitions: number;
  /**
   * Appends an entry and resolves with its offset once it is durable. Appends to one partition keep the order of the calls. A
   * rejected append may still have stored the entry, once or (over a network) twice, which is why an entry carries a producer
   * and a sequence. The entry has been read when the call returns, so the caller may use its memory again.
   *
   * @param untilMs the entry is not stored after this instant of `performance.now()`, so that it cannot appear later, behind
   *   entries that were appended after the caller gave up. At most `MAX_APPEND_MS` from now, which is also the default.
   */
  append(partition: number, entry: Entry, untilMs?: number): Promise<Offset>;
  /**
   * The durable entries after each cursor, oldest first. If there are none, waits up to `waitMs` for one.
   * Partitions without new entries are absent from the result. Entries that cannot be read are returned as such.
   */
  read(cursors: ReadonlyMap<number, Offset>, options: ReadOptions): Promise<Map<number, LoggedEntry[]>>;
  /** How many entries have ever been appended to a partition. */
  appended(partition: number): Promise<number>;
  /**
   * Removes the oldest entries: those that were logged before `beforeMs` (ms since 1970) and come before `stored`, the offset of
   * the partition’s checkpoint. Removes a limited number at a time, and may leave a few that could be removed.
   * @returns how many were removed
   */
  trim(partition: number, beforeMs: number, stored: Offset): Promise<number>;
}

/** How far a partition has been counted. */
export interface Position {
  /** The offset of the last counted entry. */
  readonly offset: Offset;
  /** The cursor in the change feed from which a reader of the slices continues. No change in the feed comes after it. */
  readonly changed: Offset;
  /** How many entries have ever been counted. The difference from `VoteLog.appended` is the lag. */
  readonly entries: number;
  /** The last counted sequence of each producer. The producer heard most recently comes last. */
  readonly producers: Map<string, number>;
  readonly refused: RejectionCounts;
  /** Up to where ballots are stored; undefined in a partition that only earlier versions have counted: up to `offset`. */
  readonly checkpoint?: Checkpoint | undefined;
  /** How many entries have been counted behind the checkpoint; undefined if that is not stored, as in earlier versions. */
  readonly behind?: number | undefined;
}

/** Everything that folding a batch changed. Values are absolute. */
export interface Commit {
  readonly partition: number;
  /** The offset after which the batch was read. */
  readonly expected: Offset;
  /**
   * The offset of the checkpoint on which the ballots in memory are based; undefined if the partition has none. A checkpoint can
   * move, or be lost by a failover, without the partition’s offset.
   */
  readonly expectedCheckpoint: Offset | undefined;
  /** The offset of the batch's last entry. */
  readonly offset: Offset;
  /** How many entries the batch contains. */
  readonly entries: number;
  readonly slices: readonly SliceChange[];
  readonly producers: readonly (readonly [producer: string, sequence: number | null])[];
  readonly refused: RejectionCounts;
  /** Makes `offset` the partition’s checkpoint: all ballots that have changed since the last one. The first commit has one. */
  readonly checkpoint?: { readonly producers: ReadonlyMap<string, number>; readonly rounds: readonly StoredPages[] };
}

/** Ballots, tallies and offsets: derived from the log alone, and stored so that the log need not be folded again. */
export interface CountStore {
  position(partition: number): Promise<Position>;
  slice(partition: number, poll: string, round: number): Promise<Slice | undefined>;
  /** A slice without its tally, which may be large. */
  sliceState(partition: number, poll: string, round: number): Promise<StoredSlice | undefined>;
  /** The ballots of a round as of the partition’s checkpoint; only the pages of `voters` if they are given. */
  stored(partition: number, poll: string, round: number, voters?: readonly string[]): Promise<FoundBallots>;
  /**
   * Applies the commit and adds it to the change feed, atomically, if the offset of the partition is still `expected`, and its
   * checkpoint `expectedCheckpoint`. Otherwise another processor was faster, or a failover has lost the last commit: nothing
   * changes, and the result is false.
   */
  commit(commit: Commit): Promise<boolean>;
}

/** Ballots as of the last commit. `CountStore.stored` has them as of the last checkpoint. */
export interface Ballots {
  /** The ballots of `voters`, in the same order; undefined for a voter who has none. */
  of(partition: number, poll: string, round: number, voters: readonly string[]): Promise<(Ballot | undefined)[]>;
  /** Every ballot of a round in one partition, withdrawn ones included, as of one moment. In no particular order. */
  all(partition: number, poll: string, round: number): AsyncIterable<readonly [voter: string, ballot: Ballot]>;
  /**
   * How many counted entries the last answer about open rounds of a partition lacks, because they are damaged or gone and their
   * ballots are not stored yet.
   */
  missing(partition: number): number;
}

/** The number of changes kept per partition. A reader that is further behind reloads the slices. */
export const KEPT_CHANGES = 2048;

/** What one commit changed. */
export interface CountChange {
  readonly partition: number;
  readonly offset: Offset;
  readonly slices: readonly SliceChange[];
}

/** The transactional outbox of commits, one stream per partition. */
export interface ChangeFeed {
  /**
   * The changes after each cursor, oldest first. `gaps` lists the partitions where the feed no longer continues from the
   * cursor, because changes have been trimmed or lost. For these partitions, the reader must reload the slices and continue
   * from `changed` of `counts.position`.
   */
  read(
    cursors: ReadonlyMap<number, Offset>,
    options: ReadOptions,
  ): Promise<{ changes: CountChange[]; gaps: readonly number[] }>;
}

/** Kinds of documents in the registry. */
export type Collection =
  | ('polls' | 'rooms' | 'devices' | 'claims' | 'releases' | 'statuses')
  | ('guests' | 'guestRooms' | 'revokedGuests' | 'secrets' | 'dead' | 'operators' | 'trail');
/** Collections whose writes every process is notified of. */
export const WATCHED = ['polls', 'devices', 'guestRooms', 'revokedGuests'] as const satisfies readonly Collection[];
export type Watched = (typeof WATCHED)[number];

export function isWatched(collection: Collection): collection is Watched {
  return (WATCHED as readonly Collection[]).includes(collection);
}

/** Called after the document `id` of a collection has been written or removed. */
export type WriteListener = (collection: Watched, id: string) => void;

export interface Versioned<T> {
  readonly value: T;
  /**
   * Increases with each change of the document, also when it is removed and created again: a write that expects the version of an
   * earlier document with the same id never hits a later one.
   */
  readonly version: number;
}

/** Small JSON documents, such as polls and devices, by collection and id. A write is durable once its promise resolves. */
export interface Registry {
  get<T>(collection: Collection, id: string): Promise<Versioned<T> | undefined>;
  list<T>(collection: Collection): Promise<(Versioned<T> & { readonly id: string })[]>;
  /**
   * Writes a document if its version is still `expected` (0: it does not exist), or unconditionally if `expected` is undefined.
   * Resolves with the new version, or with undefined if the document has a different version.
   */
  put<T>(collection: Collection, id: string, value: T, expected?: number): Promise<number | undefined>;
  /**
   * Removes a document if its version is still `expected`, or unconditionally if `expected` is undefined. Resolves with false if the
   * document has a different version; one that does not exist is removed already.
   */
  remove(collection: Collection, id: string, expected?: number): Promise<boolean>;
  /**
   * Calls the listener after each write to a watched collection by any process, at least once and possibly late, and when a poll
   * has vanished. The listener must read the document itself, because it is only passed the id.
   */
  watch(listener: WriteListener): () => void;
  /** Resolves once the listeners have been called for every write that completed before this call. */
  caughtUp(): Promise<void>;
}

/** The longest time in ms for which a presence may be announced. */
export const MAX_PRESENCE_MS = 4_000;

/**
 * Processes that are running, with what they announce about themselves. An announcement expires unless it is renewed in time.
 * Also, how the last connection of each device ended.
 */
export interface Presence {
  /**
   * Announces a process for the next `ttlMs`, at most for `MAX_PRESENCE_MS`. If the store’s clock is set back, the presence ends
   * `MAX_PRESENCE_MS` after it is next listed.
   */
  announce(role: string, id: string, facts: unknown, ttlMs: number): Promise<void>;
  withdraw(role: string, id: string): Promise<void>;
  list(role: string): Promise<{ readonly id: string; readonly facts: unknown }[]>;
  /**
   * Notes that a device has connected, over the connection `line` (any text that no other connection has). Resolves with how its
   * last connection ended.
   */
  arrive(device: string, line: string): Promise<LastLine>;
  /** Notes that a device has left: it has ended the connection itself. No effect if it has connected again since. */
  leave(device: string, line: string): Promise<void>;
}

/** The last events of each device, for finding out why one does not get in. Bounded, and forgotten after a while. */
export interface Trails {
  /** Adds events by device, oldest first. */
  add(events: ReadonlyMap<string, readonly DeviceEvent[]>): Promise<void>;
  /** The last events of a device, oldest first; empty if nothing is known about it. */
  of(device: string): Promise<readonly DeviceEvent[]>;
}

/** How the last connection of a device ended: the device left, or the connection was lost or taken over, or nobody knows. */
export type LastLine = 'left' | 'lost' | 'unknown';

/** How long, in ms, it is remembered that a device has connected or left. */
export const DEVICE_REMEMBERED_MS = 86_400_000;
