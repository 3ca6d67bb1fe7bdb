import type { Database, RootDatabase } from 'lmdb';
import { encodeEntry, readEntry } from '../../voting/count/entries/codec.ts';
import type { Entry } from '../../voting/count/entry.ts';
import { Bell } from '../../waiting/bell.ts';
import { StoreError } from '../error.ts';
import { type Offset, START } from '../offset.ts';
import type { LoggedEntry, ReadOptions, VoteLog } from '../store.ts';
import { awaitWrite } from './await-write.ts';
import type { Guard } from './files/guard.ts';
import { sequenceOf } from './sequence.ts';
import type { Writer } from './writer.ts';

/** How many connection numbers one write reserves. */
const RESERVED_TOGETHER = 10_000;
/** The maximum number of entries removed by one trim. */
const MAX_TRIMMED = 1_000;

type Key = [partition: number, sequence: number];

const offsetOf = (sequence: number): Offset => `${sequence}-0`;

/** The vote log as one LMDB table. Puts that arrive while a commit is being written to disk share the next commit. */
export class EmbeddedLog implements VoteLog {
  readonly partitions: number;
  private readonly table: Database<Buffer, Key>;
  private readonly writer: Writer;
  private readonly guard: Guard;
  private readonly bell = new Bell();
  /** The last sequence assigned, by partition. */
  private readonly assigned: number[];
  /** The last sequence known to be on disk, by partition. Reads end there. */
  private readonly durable: number[];
  private readonly reservations: Database<number, string>;
  /** The last connection number assigned, and the last one that later runs will not assign. */
  private connection: number;
  private reserved: number;
  private reserving: Promise<unknown> = Promise.resolve();

  /** @param writer taken before, so that nobody else appends behind what is read here */
  constructor(root: RootDatabase, partitions: number, writer: Writer, guard: Guard) {
    this.writer = writer;
    this.guard = guard;
    this.partitions = partitions;
    this.table = root.openDB({ name: 'log', encoding: 'binary' });
    this.assigned = Array.from({ length: partitions }, (_, partition) => this.lastStored(partition));
    this.durable = [...this.assigned];
    this.reservations = root.openDB({ name: 'deployment', encoding: 'json' });
    this.reserved = this.reservations.get('connections') ?? 0;
    this.connection = this.reserved;
  }

  /** The offset of a partition’s last entry; `START` if the partition is empty. */
  end(partition: number): Offset {
    return this.durable[partition] ? offsetOf(this.durable[partition]) : START;
  }

  async append(partition: number, entry: Entry, untilMs = Number.POSITIVE_INFINITY): Promise<Offset> {
    this.guard.demand();
    if (performance.now() > untilMs)
      throw new StoreError('could not append to the vote log: the time limit has passed');
    const sequence = (this.assigned[partition] ?? 0) + 1;
    this.assigned[partition] = sequence;
    const bytes = encodeEntry(entry);
    await this.write(() => this.table.put([partition, sequence], bytes));
    this.durable[partition] = Math.max(this.durable[partition] ?? 0, sequence);
    this.bell.ring();
    return offsetOf(sequence);
  }

  async read(
    cursors: ReadonlyMap<number, Offset>,
    { limit, waitMs, signal }: ReadOptions,
  ): Promise<Map<number, LoggedEntry[]>> {
    const hasNews = () => [...cursors].some(([p, offset]) => sequenceOf(offset) < (this.durable[p] ?? 0));
    if (!hasNews()) await this.bell.wait(waitMs, signal);
    const found = new Map<number, LoggedEntry[]>();
    for (const [partition, offset] of cursors) {
      const entries = this.after(partition, sequenceOf(offset), limit);
      if (entries.length > 0) found.set(partition, entries);
    }
    return found;
  }

  /** A number for a new connection, higher than that of any earlier one, also of earlier runs. */
  async nextConnection(): Promise<number> {
    const number = ++this.connection;
    if (number > this.reserved) this.reserve(number + RESERVED_TOGETHER);
    await this.reserving;
    return number;
  }

  async appended(partition: number): Promise<number> {
    return this.durable[partition] ?? 0;
  }

  async trim(partition: number, beforeMs: number, counted: Offset): Promise<number> {
    const range = this.table.getRange({
      start: [partition, 0],
      end: [partition, sequenceOf(counted)],
      limit: MAX_TRIMMED,
    });
    const old = [];
    let unreadable = [];
    for (const { key, value } of range) {
      const entry = readEntry(value);
      // An unreadable entry has no time, so it goes with the entry after it.
      if (entry.type === 'unreadable') unreadable.push(key);
      else if (entry.type === 'newer' || entry.atMs >= beforeMs) break;
      else {
        old.push(...unreadable, key);
        unreadable = [];
      }
    }
    await Promise.all(old.map((key) => awaitWrite(this.table.remove(key))));
    return old.length;
  }

  /** Resolves once what `put` does is durable, in the file that is at its path. */
  private async write(put: () => void): Promise<void> {
    let isOurs: boolean;
    try {
      isOurs = await this.writer.write(put);
    } catch (error) {
      this.guard.failed(error as Error);
      throw error;
    }
    if (!isOurs) throw this.guard.takenOver();
    this.guard.demandFiles();
    this.guard.stored();
  }

  private reserve(last: number): void {
    this.reserved = last;
    this.reserving = this.write(() => this.reservations.put('connections', last));
    // If the write fails, so do the connections that wait for it; the next one tries again.
    this.reserving.catch(() => {
      this.reserved = 0;
    });
  }

  private after(partition: number, sequence: number, limit: number): LoggedEntry[] {
    const durable = this.durable[partition] ?? 0;
    if (sequence >= durable) return [];
    const range = this.table.getRange({ start: [partition, sequence + 1], end: [partition, durable + 1], limit });
    return [...range].map(({ key, value }) => ({ offset: offsetOf(key[1]), entry: readEntry(value) }));
  }

  private lastStored(partition: number): number {
    const [last] = this.table.getKeys({
      start: [partition, Number.MAX_SAFE_INTEGER],
      end: [partition, 0],
      reverse: true,
      limit: 1,
    });
    return last?.[1] ?? 0;
  }
}
