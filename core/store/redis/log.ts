import { encodeEntry, readEntry } from '../../voting/count/entries/codec.ts';
import type { Entry } from '../../voting/count/entry.ts';
import { Instant } from '../../waiting/instant.ts';
import { pause } from '../../waiting/pause.ts';
import { StoreError, StoreRefusal } from '../error.ts';
import { compareOffsets, type Offset } from '../offset.ts';
import { type LoggedEntry, MAX_APPEND_MS, type ReadOptions, type VoteLog } from '../store.ts';
import type { Bells } from './connection/bells.ts';
import { type RedisConnection, replyOf } from './connection/connection.ts';
import type { RedisKeys } from './connection/keys.ts';
import { type Durability, evalAndWait, TooFewReplicas } from './durability.ts';
import type { StoreGuard } from './guard/guard.ts';
import { readOrWait, storedIn } from './reading.ts';
import { type Call, script } from './scripts/script.ts';
import type { WrittenFormat } from './written-format.ts';

/** Pause in ms before an append is tried again. */
const RETRY_MS = 100;
const append = script<
  'voteLog' | 'mark',
  'untilMs' | 'entry' | 'channel' | 'partition' | 'shownMs' | 'expected' | 'known' | 'stored'
>('log/append');

/** The maximum number of entries removed by one trim. */
const MAX_TRIMMED = 10_000;

/** The server reports that the time limit has passed. */
class TooLate extends Error {}

/** A reading of the clock of the server that holds a partition. */
interface Clock {
  readonly serverMs: number;
  /** The latest instant of `performance.now()` at which the server’s clock could have shown `serverMs`. */
  readonly atMs: number;
}

/** The vote log as one Redis Stream per partition. */
export class RedisLog implements VoteLog {
  readonly partitions: number;
  private readonly appending: RedisConnection;
  private readonly reading: RedisConnection;
  private readonly keys: RedisKeys;
  private readonly bells: Bells;
  private readonly durability: Durability;
  private readonly guard: StoreGuard;
  private readonly format: WrittenFormat;
  private readonly clocks: (Clock | undefined)[] = [];
  /** Settles with the latest append, by partition. */
  private readonly newest: Promise<unknown>[] = [];

  /** @param parts `appending` is used only for appends, because devices wait for them and nothing may delay them */
  constructor(
    parts: {
      appending: RedisConnection;
      reading: RedisConnection;
      keys: RedisKeys;
      bells: Bells;
      durability: Durability;
      guard: StoreGuard;
      format: WrittenFormat;
    },
    partitions: number,
  ) {
    this.partitions = partitions;
    this.appending = parts.appending;
    this.reading = parts.reading;
    this.keys = parts.keys;
    this.bells = parts.bells;
    this.durability = parts.durability;
    this.guard = parts.guard;
    this.format = parts.format;
  }

  /**
   * Tries until the entry is stored or the time limit has passed. The server checks the limit by its own clock, so that a
   * delayed copy of the command cannot store the entry after this call has failed. The limit is an instant by two clocks: an
   * attempt after this machine was suspended would otherwise have as much time as was left before.
   */
  append(partition: number, entry: Entry, untilMs = Number.POSITIVE_INFINITY): Promise<Offset> {
    const end = new Instant(Math.min(untilMs, performance.now() + MAX_APPEND_MS));
    // One at a time: a second attempt must not end up behind the next append.
    const before = this.newest[partition] ?? Promise.resolve();
    // At once, because the caller may use the memory of the entry again after a failure.
    const bytes = encodeEntry(entry, this.format.current());
    const appended = before.then(() => this.appendBy(partition, bytes, end));
    this.newest[partition] = appended.catch(() => {});
    return appended;
  }

  private async appendBy(partition: number, entry: Buffer, end: Instant): Promise<Offset> {
    let stored: Offset | undefined;
    for (;;) {
      try {
        return await this.tryAppend(partition, entry, end, stored);
      } catch (error) {
        this.clocks[partition] = undefined;
        // The entry is stored, and only has to reach the replicas. Another copy of it would not help.
        if (error instanceof TooFewReplicas) stored = (error.reply as [number, Offset?])[1] ?? stored;
        this.guard.failed((error as Error).message);
        // The server’s report that the time limit has passed is final, even if this machine’s clock has stood still and shows
        // an earlier time.
        const isOver = error instanceof TooLate || performance.now() + RETRY_MS >= end.atMs;
        if (isOver) {
          // Wait for the limit: only then is it certain that no copy of the command will store the entry.
          await pause(Math.max(0, end.atMs - performance.now()));
          const what = `could not append to the vote log: ${(error as Error).message}`;
          throw this.guard.condition().ok
            ? new StoreError(what, { cause: error })
            : new StoreRefusal(what, { cause: error });
        }
        await pause(RETRY_MS);
      }
    }
  }

  async read(cursors: ReadonlyMap<number, Offset>, options: ReadOptions): Promise<Map<number, LoggedEntry[]>> {
    const found = await readOrWait(this.bells.of('log'), options, () => this.readNow(cursors, options.limit));
    return new Map(
      found.map(([partition, stored]) => {
        const entries = stored.map(([offset, fields]) => ({
          offset: offset.toString(),
          entry: readEntry(storedIn(fields)),
        }));
        this.guard.read(partition, entries.at(-1)?.offset as Offset);
        return [partition, entries];
      }),
    );
  }

  async appended(partition: number): Promise<number> {
    const key = this.keys.log(partition);
    if ((await replyOf(this.reading.exists(key))) === 0) return 0;
    const facts = (await replyOf(this.reading.xinfo('STREAM', key))) as unknown[];
    return facts[facts.indexOf('entries-added') + 1] as number;
  }

  async trim(partition: number, beforeMs: number, counted: Offset): Promise<number> {
    const before: Offset = `${Math.floor(beforeMs)}-0`;
    const from = compareOffsets(before, counted) < 0 ? before : counted;
    return replyOf(this.reading.xtrim(this.keys.log(partition), 'MINID', '~', from, 'LIMIT', MAX_TRIMMED));
  }

  private async readNow(cursors: ReadonlyMap<number, Offset>, limit: number) {
    const reads = [...cursors].map(async ([partition, offset]) => {
      const entries = await replyOf(
        this.reading.xrangeBuffer(this.keys.log(partition), `(${offset}`, '+', 'COUNT', limit),
      );
      return [partition, entries] as const;
    });
    return (await Promise.all(reads)).filter(([, entries]) => entries.length > 0);
  }

  private async tryAppend(partition: number, entry: Buffer, end: Instant, stored?: Offset): Promise<Offset> {
    this.demandNoObstacle();
    const clock = this.clocks[partition] ?? (await this.learnClock(partition));
    // The server read its clock before its answer arrived, so `untilMs` is never later than `end`.
    const untilMs = Math.floor(clock.serverMs + (end.atMs - clock.atMs));
    const call = this.call(partition, { untilMs, shownMs: clock.serverMs, entry, stored: stored ?? '' });
    this.demandNoObstacle();
    const [serverMs, offset, isGone] = await this.send(call);
    if (isGone) {
      this.guard.suspect();
      throw new Error('Redis lacks data of this partition that was acknowledged');
    }
    if (offset === undefined && serverMs > untilMs) throw new TooLate('the time limit has passed');
    if (offset === undefined) throw new Error('the server’s clock went backwards, or another server has taken over');
    this.clocks[partition] = { serverMs, atMs: performance.now() };
    this.guard.stored(partition, offset);
    return offset;
  }

  private demandNoObstacle(): void {
    const { obstacle } = this.guard;
    if (obstacle !== undefined) throw new Error(obstacle);
  }

  private async learnClock(partition: number): Promise<Clock> {
    const nothing = this.call(partition, { untilMs: 0, shownMs: 0, entry: '', stored: '' });
    const [serverMs] = (await this.appending.eval(...nothing)) as [number];
    const clock = { serverMs, atMs: performance.now() };
    this.clocks[partition] = clock;
    return clock;
  }

  private call(
    partition: number,
    what: { untilMs: number; shownMs: number; entry: Buffer | string; stored: string },
  ): Call {
    return append(
      { voteLog: this.keys.log(partition), mark: this.keys.mark(partition) },
      {
        ...what,
        channel: this.keys.bell('log'),
        partition,
        expected: this.guard.markText,
        known: this.guard.newest(partition),
      },
    );
  }

  private async send(call: Call): Promise<[number, Offset?, number?]> {
    const { replicas } = this.durability;
    if (replicas === 0) return (await this.appending.eval(...call)) as [number, Offset?, number?];
    return (await evalAndWait(this.appending, call, replicas)) as [number, Offset?, number?];
  }
}
