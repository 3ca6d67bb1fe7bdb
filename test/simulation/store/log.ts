import { StoreError } from '../../../core/store/error.ts';
import { type Offset, START } from '../../../core/store/offset.ts';
import type {
  ChangeFeed,
  Commit,
  CountStore,
  FoundBallots,
  LoggedEntry,
  Position,
  ReadOptions,
  VoteLog,
} from '../../../core/store/store.ts';
import { MAX_APPEND_MS } from '../../../core/store/store.ts';
import { decodeEntry, encodeEntry } from '../../../core/voting/count/entries/codec.ts';
import type { Entry } from '../../../core/voting/count/entry.ts';
import type { Slice, StoredSlice } from '../../../core/voting/count/slice.ts';
import { Instant } from '../../../core/waiting/instant.ts';
import { pause } from '../../../core/waiting/pause.ts';
import type { Machine } from '../world/machine.ts';
import type { World } from '../world/world.ts';
import type { Access, BellName } from './access.ts';
import type { Database } from './database.ts';

/** Pause in ms before an append is tried again. */
const RETRY_MS = 100;

class TooLate extends StoreError {}

interface LogParts {
  readonly world: World;
  readonly machine: Machine;
  readonly access: Access;
  readonly database: Database;
  /** Whether an append that got no answer is tried again, as over a network. */
  readonly isRetried: boolean;
  /** The offset of the next entry. */
  readonly nextOffset: (last: Offset) => Offset;
}

/** The vote log of a simulated store. */
export class SimulatedLog implements VoteLog {
  readonly partitions: number;
  private readonly parts: LogParts;
  private readonly newest: Promise<unknown>[] = [];

  constructor(parts: LogParts) {
    this.parts = parts;
    this.partitions = parts.database.partitions;
  }

  append(partition: number, entry: Entry, untilMs = Number.POSITIVE_INFINITY): Promise<Offset> {
    const bytes = encodeEntry(entry);
    if (!this.parts.isRetried) return this.attempt(partition, bytes, untilMs);
    const end = new Instant(Math.min(untilMs, performance.now() + MAX_APPEND_MS));
    // One at a time: a second attempt must not end up behind the next append.
    const before = this.newest[partition] ?? Promise.resolve();
    const appended = before.then(() => this.untilDone(partition, bytes, end));
    this.newest[partition] = appended.catch(() => {});
    return appended;
  }

  async read(cursors: ReadonlyMap<number, Offset>, options: ReadOptions): Promise<Map<number, LoggedEntry[]>> {
    const { access, database } = this.parts;
    const found = await readOrWait(access, 'log', options, () =>
      [...cursors]
        .map(([partition, cursor]) => [partition, database.entriesAfter(partition, cursor, options.limit)] as const)
        .filter(([, entries]) => entries.length > 0),
    );
    return new Map(
      found.map(([partition, entries]) => [
        partition,
        entries.map(({ offset, bytes }) => ({ offset, entry: decodeEntry(bytes) })),
      ]),
    );
  }

  appended(partition: number): Promise<number> {
    return this.parts.access.call('rest', 'read', () => this.parts.database.appended(partition));
  }

  trim(partition: number, beforeMs: number, counted: Offset): Promise<number> {
    return this.parts.access.call('rest', 'write', () => this.parts.database.trim(partition, beforeMs, counted));
  }

  private async untilDone(partition: number, bytes: Buffer, end: Instant): Promise<Offset> {
    for (;;) {
      try {
        return await this.attempt(partition, bytes, end.atMs);
      } catch (error) {
        if (error instanceof TooLate || performance.now() + RETRY_MS >= end.atMs) {
          // Only once the limit has passed is it certain that no late command will store the entry.
          await pause(Math.max(0, end.atMs - performance.now()));
          throw new StoreError(`could not append to the vote log: ${(error as Error).message}`, { cause: error });
        }
        await pause(RETRY_MS);
      }
    }
  }

  private async attempt(partition: number, bytes: Buffer, endMs: number): Promise<Offset> {
    const { world, machine, access, database, isRetried, nextOffset } = this.parts;
    if (performance.now() > endMs) throw new TooLate('the time limit has passed');
    const limitMs = machine.simulatedMs(endMs);
    return access.call('appends', 'keep', () => {
      if (isRetried && world.nowMs > limitMs) throw new TooLate('the time limit has passed');
      const offset = database.append(partition, bytes, nextOffset);
      access.ring('log');
      return offset;
    });
  }
}

/** The counts of a simulated store. */
export class SimulatedCounts implements CountStore {
  private readonly access: Access;
  private readonly database: Database;

  constructor(access: Access, database: Database) {
    this.access = access;
    this.database = database;
  }

  position(partition: number): Promise<Position> {
    return this.access.call('rest', 'read', () => this.database.position(partition));
  }

  slice(partition: number, poll: string, round: number): Promise<Slice | undefined> {
    return this.access.call('rest', 'read', () => this.database.slice(partition, poll, round));
  }

  sliceState(partition: number, poll: string, round: number): Promise<StoredSlice | undefined> {
    return this.access.call('rest', 'read', () => this.database.sliceState(partition, poll, round));
  }

  stored(partition: number, poll: string, round: number, voters?: readonly string[]): Promise<FoundBallots> {
    return this.access.call('rest', 'read', () => this.database.stored(partition, poll, round, voters));
  }

  commit(commit: Commit): Promise<boolean> {
    return this.access.call('rest', 'write', () => {
      const done = this.database.commit(commit);
      if (done && commit.slices.length > 0) this.access.ring('changes');
      return done;
    });
  }
}

/** The change feed of a simulated store. */
export class SimulatedChanges implements ChangeFeed {
  private readonly access: Access;
  private readonly database: Database;

  constructor(access: Access, database: Database) {
    this.access = access;
    this.database = database;
  }

  async read(cursors: ReadonlyMap<number, Offset>, options: ReadOptions) {
    const found = await readOrWait(this.access, 'changes', options, () =>
      [...cursors]
        .map(([partition, cursor]) => {
          return [partition, cursor, this.database.changesAfter(partition, cursor, options.limit)] as const;
        })
        .filter(([, , changes]) => changes.length > 0),
    );
    const isGap = ([, cursor, [first]]: (typeof found)[number]) => (first?.before ?? START) !== cursor;
    return {
      changes: found
        .filter((one) => !isGap(one))
        .flatMap(([, , changes]) => changes.map(({ before: _, ...rest }) => rest)),
      gaps: found.filter(isGap).map(([partition]) => partition),
    };
  }
}

/** Reads until something is found or the wait is over. */
async function readOrWait<T>(
  access: Access,
  name: BellName,
  { waitMs, signal }: ReadOptions,
  read: () => readonly T[],
): Promise<readonly T[]> {
  const endMs = performance.now() + waitMs;
  for (;;) {
    const leftMs = endMs - performance.now();
    const { rung, cancel } = access.bell(name).listen(leftMs, signal);
    try {
      const found = await access.call('rest', 'read', read);
      if (found.length > 0 || leftMs <= 0 || signal?.aborted) return found;
      await rung;
    } finally {
      cancel();
    }
  }
}
