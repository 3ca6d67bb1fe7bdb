import { type Entry, encodeEntry, readEntry } from '../../voting/count/entry.ts';
import { pause } from '../../waiting/pause.ts';
import { StoreError } from '../error.ts';
import { compareOffsets, type Offset } from '../offset.ts';
import { type LoggedEntry, MAX_APPEND_MS, type ReadOptions, type VoteLog } from '../store.ts';
import type { Bells } from './connection/bells.ts';
import { type RedisConnection, replyOf } from './connection/connection.ts';
import type { RedisKeys } from './connection/keys.ts';
import { type Durability, evalAndWait } from './durability.ts';
import { readOrWait } from './reading.ts';
import { script } from './scripts/script.ts';

/** Pause in ms before an append is tried again. */
const RETRY_MS = 100;
const append = script<'voteLog', 'untilMs' | 'entry' | 'channel' | 'partition' | 'shownMs'>('append');

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
    },
    partitions: number,
  ) {
    this.partitions = partitions;
    this.appending = parts.appending;
    this.reading = parts.reading;
    this.keys = parts.keys;
    this.bells = parts.bells;
    this.durability = parts.durability;
  }

  /**
   * Tries until the entry is stored or the time limit has passed. The server checks the limit by its own clock, so that a
   * delayed copy of the command cannot store the entry after this call has failed.
   */
  append(partition: number, entry: Entry, untilMs = Number.POSITIVE_INFINITY): Promise<Offset> {
    const endMs = Math.min(untilMs, performance.now() + MAX_APPEND_MS);
    // One at a time: a second attempt must not end up behind the next append.
    const before = this.newest[partition] ?? Promise.resolve();
    const appended = before.then(() => this.appendBy(partition, encodeEntry(entry), endMs));
    this.newest[partition] = appended.catch(() => {});
    return appended;
  }

  private async appendBy(partition: number, text: string, endMs: number): Promise<Offset> {
    for (;;) {
      try {
        return await this.tryAppend(partition, text, endMs);
      } catch (error) {
        this.clocks[partition] = undefined;
        // The server’s report that the time limit has passed is final, even if this machine’s clock has stood still and shows
        // an earlier time.
        const isOver = error instanceof TooLate || performance.now() + RETRY_MS >= endMs;
        if (isOver) {
          // Wait for the limit: only then is it certain that no copy of the command will store the entry.
          await pause(Math.max(0, endMs - performance.now()));
          throw new StoreError(`could not append to the vote log: ${(error as Error).message}`, { cause: error });
        }
        await pause(RETRY_MS);
      }
    }
  }

  async read(cursors: ReadonlyMap<number, Offset>, options: ReadOptions): Promise<Map<number, LoggedEntry[]>> {
    const found = await readOrWait(this.bells.of('log'), options, () => this.readNow(cursors, options.limit));
    return new Map(
      found.map(([partition, entries]) => [
        partition,
        entries.map(([offset, [, text = '']]) => ({ offset, entry: readEntry(text) })),
      ]),
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
      const entries = await replyOf(this.reading.xrange(this.keys.log(partition), `(${offset}`, '+', 'COUNT', limit));
      return [partition, entries] as const;
    });
    return (await Promise.all(reads)).filter(([, entries]) => entries.length > 0);
  }

  private async tryAppend(partition: number, text: string, endMs: number): Promise<Offset> {
    const clock = this.clocks[partition] ?? (await this.learnClock(partition));
    // The server read its clock before its answer arrived, so `untilServerMs` is never later than `endMs`.
    const untilServerMs = Math.floor(clock.serverMs + (endMs - clock.atMs));
    const [serverMs, offset] = await this.send(partition, untilServerMs, clock.serverMs, text);
    if (offset === undefined && serverMs > untilServerMs) throw new TooLate('the time limit has passed');
    if (offset === undefined) throw new Error('the server’s clock went backwards, or another server has taken over');
    this.clocks[partition] = { serverMs, atMs: performance.now() };
    return offset;
  }

  private async learnClock(partition: number): Promise<Clock> {
    const nothing = { untilMs: 0, entry: '', channel: '', partition: '', shownMs: 0 };
    const [serverMs] = (await this.appending.eval(...append({ voteLog: this.keys.log(partition) }, nothing))) as [
      number,
    ];
    const clock = { serverMs, atMs: performance.now() };
    this.clocks[partition] = clock;
    return clock;
  }

  private async send(
    partition: number,
    untilServerMs: number,
    shownMs: number,
    text: string,
  ): Promise<[number, Offset?]> {
    const call = append(
      { voteLog: this.keys.log(partition) },
      { untilMs: untilServerMs, entry: text, channel: this.keys.bell('log'), partition, shownMs },
    );
    const { replicas } = this.durability;
    if (replicas === 0) return (await this.appending.eval(...call)) as [number, Offset?];
    return (await evalAndWait(this.appending, call, replicas)) as [number, Offset?];
  }
}
