import { BallotReader } from '../../../core/store/ballots/reader.ts';
import { compareOffsets, type Offset, START } from '../../../core/store/offset.ts';
import type { Collection, Commit, CountStore, Store, VoteLog } from '../../../core/store/store.ts';
import { encodeEntry, readEntry } from '../../../core/voting/count/entries/codec.ts';
import type { Entry } from '../../../core/voting/count/entry.ts';
import { pause } from '../../../core/waiting/pause.ts';
import { Database } from '../../simulation/store/database.ts';

/** A store in memory with one partition. Its commits can fail, before or after they take effect. */
export class MemoryStore {
  readonly store: Store;
  /** How the next commits fail, in their order. */
  readonly failures: ('before' | 'after')[] = [];
  /**
   * What becomes of the next commits that only store ballots: `late` ones have no answer and take effect at the next read of
   * ballots; `lost` ones are confirmed, and a failover loses them.
   */
  readonly idleFailures: ('late' | 'lost')[] = [];
  /** The offsets of entries that are not found as they were appended: with other bytes, or not at all. */
  readonly spoilt = new Map<Offset, 'damaged' | 'gone'>();
  /** What has been appended, with its offset. */
  readonly entries: { readonly offset: Offset; readonly entry: Entry }[] = [];
  readonly database = new Database(1);
  private late: Commit | undefined;

  constructor() {
    const { database } = this;
    const log: VoteLog = {
      partitions: 1,
      append: async (_, entry) => this.append(entry),
      read: async (cursors, { limit }) => {
        const found = database
          .entriesAfter(0, cursors.get(0) ?? START, limit)
          .filter(({ offset }) => this.spoilt.get(offset) !== 'gone');
        if (found.length === 0) await pause(1);
        const entries = found.map(({ offset, bytes }) => {
          return { offset, entry: readEntry(this.spoilt.has(offset) ? bytes.subarray(0, -1) : bytes) };
        });
        return new Map(cursors.has(0) && entries.length > 0 ? [[0, entries]] : []);
      },
      appended: async () => database.appended(0),
      trim: async (_, beforeMs, stored) => database.trim(0, beforeMs, stored),
    };
    const counts: CountStore = {
      position: async () => database.position(0),
      slice: async (_, poll, round) => database.slice(0, poll, round),
      sliceState: async (_, poll, round) => database.sliceState(0, poll, round),
      stored: async (_, poll, round, voters) => {
        if (this.late) database.commit(this.late);
        this.late = undefined;
        await pause(0);
        return database.stored(0, poll, round, voters);
      },
      commit: async (commit) => {
        const failure = this.failures.shift();
        if (failure === 'before') throw new Error('the commit is lost');
        await pause(0);
        const idle = commit.entries === 0 ? this.idleFailures.shift() : undefined;
        if (idle === 'late') {
          this.late = commit;
          throw new Error('the answer to the commit is late');
        }
        const { position } = database.journal;
        const done = database.commit(commit);
        if (idle === 'lost') database.journal.undo(position);
        if (failure === 'after') throw new Error('the answer to the commit is lost');
        return done;
      },
    };
    const registry = {
      list: async (collection: Collection) => database.list(collection),
      put: async (collection: Collection, id: string, value: unknown, expected?: number) =>
        database.put(collection, id, JSON.stringify(value), expected),
    };
    const ballots = new BallotReader({ log, counts });
    // Counting uses nothing else, unless an entry cannot be read.
    this.store = Object.assign(Object.create(null), { log, counts, ballots, registry });
  }

  append(entry: Entry): Offset {
    const offset = this.database.append(0, encodeEntry(entry), (last) => `${Number.parseInt(last, 10) + 1}-0`);
    this.entries.push({ offset, entry });
    return offset;
  }

  /** The entries up to an offset. */
  until(offset: Offset): Entry[] {
    return this.entries.filter((one) => compareOffsets(one.offset, offset) <= 0).map(({ entry }) => entry);
  }
}
