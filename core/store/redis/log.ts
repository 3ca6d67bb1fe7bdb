import { pause } from '../../runtime/pause.ts';
import { decodeEntry, type Entry, encodeEntry } from '../../voting/entry.ts';
import { StoreError } from '../error.ts';
import { compareOffsets, type Offset } from '../offset.ts';
import { type LoggedEntry, MAX_APPEND_MS, type ReadOptions, type VoteLog } from '../store.ts';
import type { Bells } from './bells.ts';
import { asked, type Connection } from './connection.ts';
import { type Durability, evalAndWait } from './durability.ts';
import type { Keys } from './keys.ts';
import { readOrWait } from './reading.ts';

/** Pause before an append is tried again, ms. */
const RETRY_MS = 100;
/**
 * KEYS 1 vote log
 * ARGV 1 no longer to be stored after, ms of this server's clock (0: only tell the clock) · 2 entry · 3 channel ·
 *      4 partition · 5 what the clock has shown already
 * Reply: {this server's clock in ms, offset}; the offset is missing when it was too late, or when the clock is another
 * one: after a failover or a redirection a limit by the old server's clock means nothing.
 */
const APPEND = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now > tonumber(ARGV[1]) or now < tonumber(ARGV[5]) then return {now} end
local offset = redis.call('XADD', KEYS[1], '*', 'e', ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return {now, offset}`;

/** Numbers of connections count from here, ms since 1970, to be short: the beginning of 2026. */
const CONNECTIONS_BEGIN_MS = 1_767_225_600_000;

/**
 * KEYS 1 newest connection
 * ARGV 1 what to count from, ms
 * Reply: a number above all before: the server's clock, or one more than the last, so that a server that lost the last
 * numbers does not give them out again.
 */
const NEXT_CONNECTION = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[1]
local next = math.max(now, (tonumber(redis.call('GET', KEYS[1])) or 0) + 1)
redis.call('SET', KEYS[1], string.format('%.0f', next))
return next`;

/** Entries that one trimming removes, at most. */
const MAX_TRIMMED = 10_000;

/** The server says that the time is up. */
class TooLate extends Error {}

/** What is known of the clock of the server that holds a partition. */
interface Clock {
  readonly serverMs: number;
  /** The latest instant, in `performance.now()`, at which the server's clock may have shown that. */
  readonly atMs: number;
}

/** The vote log as one Redis Stream per partition. */
export class RedisLog implements VoteLog {
  readonly partitions: number;
  private readonly appending: Connection;
  private readonly reading: Connection;
  private readonly keys: Keys;
  private readonly bells: Bells;
  private readonly durability: Durability;
  private readonly clocks: (Clock | undefined)[] = [];
  /** Settled when the newest append of a partition is. */
  private readonly newest: Promise<unknown>[] = [];

  /** @param appending a connection of its own: nothing else may delay what devices wait for */
  constructor(
    parts: { appending: Connection; reading: Connection; keys: Keys; bells: Bells; durability: Durability },
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
   * Tries until the entry is stored or its time is up. The server compares the time with its own clock, so that a copy
   * that was held up somewhere on its way is not stored after this has failed.
   */
  append(partition: number, entry: Entry, untilMs = Number.POSITIVE_INFINITY): Promise<Offset> {
    const endMs = Math.min(untilMs, performance.now() + MAX_APPEND_MS);
    // One at a time: a second try of one must not come behind the next.
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
        // A server that says so is believed: this machine's own clock may have stood still.
        const isOver = error instanceof TooLate || performance.now() + RETRY_MS >= endMs;
        if (isOver) {
          // Only now is it sure that no copy is stored later.
          await pause(Math.max(0, endMs - performance.now()));
          throw new StoreError(`the vote log cannot store: ${(error as Error).message}`, { cause: error });
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
        entries.map(([offset, [, text]]) => ({ offset, entry: decodeEntry(text as string) })),
      ]),
    );
  }

  async nextConnection(): Promise<number> {
    const next = this.reading.eval(NEXT_CONNECTION, 1, this.keys.connections, CONNECTIONS_BEGIN_MS);
    return (await asked(next)) as number;
  }

  async appended(partition: number): Promise<number> {
    const key = this.keys.log(partition);
    if ((await asked(this.reading.exists(key))) === 0) return 0;
    const facts = (await asked(this.reading.xinfo('STREAM', key))) as unknown[];
    return facts[facts.indexOf('entries-added') + 1] as number;
  }

  async trim(partition: number, beforeMs: number, counted: Offset): Promise<number> {
    const before: Offset = `${Math.floor(beforeMs)}-0`;
    const from = compareOffsets(before, counted) < 0 ? before : counted;
    return asked(this.reading.xtrim(this.keys.log(partition), 'MINID', '~', from, 'LIMIT', MAX_TRIMMED));
  }

  private async readNow(cursors: ReadonlyMap<number, Offset>, limit: number) {
    const reads = [...cursors].map(async ([partition, offset]) => {
      const entries = await asked(this.reading.xrange(this.keys.log(partition), `(${offset}`, '+', 'COUNT', limit));
      return [partition, entries] as const;
    });
    return (await Promise.all(reads)).filter(([, entries]) => entries.length > 0);
  }

  private async tryAppend(partition: number, text: string, endMs: number): Promise<Offset> {
    const clock = this.clocks[partition] ?? (await this.learnClock(partition));
    // As the server's clock was read before its answer came, this is never later than `endMs` here.
    const untilServerMs = Math.floor(clock.serverMs + (endMs - clock.atMs));
    const [serverMs, offset] = await this.send(partition, untilServerMs, clock.serverMs, text);
    if (offset === undefined && serverMs > untilServerMs) throw new TooLate('it was too late');
    if (offset === undefined) throw new Error('the server’s clock went back, or another server answers now');
    this.clocks[partition] = { serverMs, atMs: performance.now() };
    return offset;
  }

  private async learnClock(partition: number): Promise<Clock> {
    const args = [this.keys.log(partition), 0, '', '', '', 0];
    const [serverMs] = (await this.appending.eval(APPEND, 1, ...args)) as [number];
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
    const args = [this.keys.log(partition), untilServerMs, text, this.keys.bell('log'), partition, shownMs];
    const { replicas } = this.durability;
    if (replicas === 0) return (await this.appending.eval(APPEND, 1, ...args)) as [number, Offset?];
    const call = [APPEND, 1, ...args] as [string, number, ...(string | number)[]];
    return (await evalAndWait(this.appending, call, replicas)) as [number, Offset?];
  }
}
