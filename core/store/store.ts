import type { RejectionCounts } from '../voting/accounting.ts';
import type { Entry } from '../voting/entry.ts';
import type { Slice, SliceChange } from '../voting/slice.ts';
import type { Ballot } from '../voting/vote.ts';
import type { Offset } from './offset.ts';

/**
 * What Pollcast asks of a database. Every implementation passes test/store/contract.ts.
 *
 * Only two guarantees make the count exact, and everything else may be slow, stale or repeated:
 * `log.append` resolves when the entry is durable, and `counts.commit` is atomic and compares the offset.
 */
export interface Store {
  readonly log: VoteLog;
  readonly counts: CountStore;
  readonly changes: ChangeFeed;
  readonly registry: Registry;
  readonly presence: Presence;
  /** Opens the store; rejects with a sentence for the operator when it cannot. */
  start(): Promise<void>;
  /** Waits for what is under way, then closes. Safe to call twice. */
  stop(): Promise<void>;
}

/** How much a read may return, and how long it may wait for something to return. */
export interface ReadOptions {
  /** The most entries per partition. */
  readonly limit: number;
  /** How long to wait when there is nothing yet, ms; 0: not at all. */
  readonly waitMs: number;
  /** Ends the wait early, with an empty answer. */
  readonly signal?: AbortSignal | undefined;
}

export interface LoggedEntry {
  readonly offset: Offset;
  readonly entry: Entry;
}

/** How long an append may try, ms. */
export const MAX_APPEND_MS = 4_500;

/** One append-only stream of entries per partition. */
export interface VoteLog {
  /** How many partitions this deployment has; fixed at its first start and kept with the data. */
  readonly partitions: number;
  /**
   * Appends an entry and resolves with its offset once it is durable. Appends to one partition keep the order of
   * the calls. A rejection means "not known to be stored": it may be there, once or (over a network) twice, which is
   * why an entry carries producer and sequence.
   *
   * @param untilMs the entry is not stored after this instant of `performance.now()`: whoever gave up on it may rely on
   *   that it does not turn up later, behind what was appended elsewhere meanwhile. At most `MAX_APPEND_MS` from now,
   *   which is also the default.
   */
  append(partition: number, entry: Entry, untilMs?: number): Promise<Offset>;
  /**
   * The entries after each cursor, oldest first, only durable ones. Waits up to `waitMs` until one of the
   * partitions has something. Partitions without entries are absent from the answer.
   */
  read(cursors: ReadonlyMap<number, Offset>, options: ReadOptions): Promise<Map<number, LoggedEntry[]>>;
  /**
   * A number for a connection that a device makes now, higher than that of any made before, to any process. Undefined
   * where one process appends everything, in the order in which it came.
   */
  nextConnection(): Promise<number | undefined>;
  /** How many entries were appended to a partition ever. */
  appended(partition: number): Promise<number>;
  /**
   * Removes the oldest entries: those logged before `beforeMs` (since 1970) and before `counted`, what the partition is
   * counted up to. Removes a bounded number, or a little less than it might.
   * @returns how many were removed
   */
  trim(partition: number, beforeMs: number, counted: Offset): Promise<number>;
}

/** Where a partition's count stands. */
export interface Position {
  /** The last entry counted. */
  readonly offset: Offset;
  /** The last change that the feed tells of: where whoever reads the slices now goes on. */
  readonly changed: Offset;
  /** How many entries were counted ever; with `VoteLog.appended` this tells how far the count lags. */
  readonly entries: number;
  /** The newest sequence counted of each producer, the one heard last at the end. */
  readonly producers: Map<string, number>;
  readonly refused: RejectionCounts;
}

/** All that folding a batch changed. Values are absolute. */
export interface Commit {
  readonly partition: number;
  /** The offset the batch was read from. */
  readonly expected: Offset;
  /** The offset of the batch's last entry. */
  readonly offset: Offset;
  /** How many entries the batch holds. */
  readonly entries: number;
  readonly slices: readonly SliceChange[];
  readonly ballots: readonly (readonly [poll: string, round: number, device: string, ballot: Ballot])[];
  readonly producers: readonly (readonly [producer: string, sequence: number | null])[];
  readonly refused: RejectionCounts;
}

/** Ballots, tallies and offsets: a pure function of the log, kept so that nobody has to fold it again. */
export interface CountStore {
  position(partition: number): Promise<Position>;
  slice(partition: number, poll: string, round: number): Promise<Slice | undefined>;
  /** The ballots of `devices`, in their order; undefined where a device has none. */
  ballots(partition: number, poll: string, round: number, devices: readonly string[]): Promise<(Ballot | undefined)[]>;
  /** Every ballot of a round in one partition, by device id. Not a snapshot while the round is open. */
  scanBallots(partition: number, poll: string, round: number): AsyncIterable<readonly [device: string, ballot: Ballot]>;
  /**
   * Applies the commit and adds it to the change feed, all or nothing, if the partition still stands at `expected`.
   * Resolves false, having changed nothing, when it does not: another counter was faster.
   */
  commit(commit: Commit): Promise<boolean>;
}

/** What one commit changed, as the outbox tells it. */
export interface Change {
  readonly partition: number;
  readonly offset: Offset;
  readonly slices: readonly SliceChange[];
}

/** The transactional outbox of commits, one stream per partition. */
export interface ChangeFeed {
  /**
   * The changes after each cursor, oldest first. `gaps` names the partitions whose changes after the cursor have
   * been trimmed: their reader must load the slices again and go on from `changed` of `counts.position`.
   */
  read(
    cursors: ReadonlyMap<number, Offset>,
    options: ReadOptions,
  ): Promise<{ changes: Change[]; gaps: readonly number[] }>;
}

/** Kinds of documents in the registry. */
export type Collection = 'polls' | 'rooms' | 'devices' | 'statuses' | 'secrets';
/** Those whose writes are told to every process. */
export type Watched = 'polls' | 'devices';

/** The document `id` of a collection was written. */
export type WriteListener = (collection: Watched, id: string) => void;

export interface Versioned<T> {
  readonly value: T;
  /** Rises with each change of the document. */
  readonly version: number;
}

/** Small JSON documents by collection and id: polls, devices. Durable when a write resolves. */
export interface Registry {
  get<T>(collection: Collection, id: string): Promise<Versioned<T> | undefined>;
  list<T>(collection: Collection): Promise<(Versioned<T> & { readonly id: string })[]>;
  /**
   * Writes if the document's version is still `expected` (0: it does not exist); undefined writes in any case.
   * Resolves with the new version, or undefined when somebody else was faster.
   */
  put<T>(collection: Collection, id: string, value: T, expected?: number): Promise<number | undefined>;
  remove(collection: Collection, id: string): Promise<void>;
  /** Calls back after each write of any process, at least once and possibly late; the listener reads the document. */
  watch(listener: WriteListener): () => void;
  /** Resolves once the listeners have been told of every write that was done before this call. */
  caughtUp(): Promise<void>;
}

/** Processes that are alive now, with facts they tell of themselves. Forgotten when not renewed in time. */
export interface Presence {
  announce(role: string, id: string, facts: unknown, ttlMs: number): Promise<void>;
  withdraw(role: string, id: string): Promise<void>;
  list(role: string): Promise<{ readonly id: string; readonly facts: unknown }[]>;
}
