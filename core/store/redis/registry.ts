import type { Log } from '../../runtime/log.ts';
import { pause } from '../../runtime/pause.ts';
import { type Offset, START } from '../offset.ts';
import type { Collection, Registry, Versioned, Watched, WriteListener } from '../store.ts';
import type { Bells } from './bells.ts';
import { asked, type Connection } from './connection.ts';
import { type Durability, evalAndWait } from './durability.ts';
import type { Keys } from './keys.ts';
import { readOrWait } from './reading.ts';

/** Notices kept of writes; who missed more is told of every document. */
const KEPT_WRITES = 4096;
/** How long to wait for a notice before looking anyway, ms. */
const LOOK_EVERY_MS = 1_000;
const RETRY_MS = 250;
/** Notices read at a time. */
const MAX_NOTICES = 256;
/** Documents asked for at a time while listing. */
const SCAN_COUNT = 1_000;
const WATCHED: readonly Collection[] = ['polls', 'devices'] satisfies Watched[];

/**
 * KEYS 1 documents · 2 writes
 * ARGV 1 id · 2 expected version (-1: any; 0: none) · 3 document (empty: remove) · 4 collection, if writes are told ·
 *      5 notices to keep · 6 channel
 * Reply: the new version, 0 after removing, -1 when the version is another.
 */
const PUT = `
local kept = redis.call('HGET', KEYS[1], ARGV[1])
local version = kept and tonumber(string.match(kept, '^%d+')) or 0
if ARGV[2] ~= '-1' and tonumber(ARGV[2]) ~= version then
  -- The same write that arrives twice, because its answer was lost, was done.
  if kept == (ARGV[2] + 1) .. ' ' .. ARGV[3] then return version end
  return -1
end
version = version + 1
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  version = 0
else
  redis.call('HSET', KEYS[1], ARGV[1], version .. ' ' .. ARGV[3])
end
if ARGV[4] ~= '' then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', ARGV[4], ARGV[1])
  redis.call('PUBLISH', ARGV[6], ARGV[4])
end
return version`;

/** Documents in Redis hashes, one per collection; a stream tells which were written. */
export class RedisRegistry implements Registry {
  private readonly connection: Connection;
  private readonly keys: Keys;
  private readonly bells: Bells;
  private readonly durability: Durability;
  private readonly log: Log;
  private readonly listeners = new Set<WriteListener>();
  private readonly halt = new AbortController();
  private cursor: Offset = START;
  private following: Promise<void> | undefined;
  private telling: Promise<void> = Promise.resolve();

  constructor(connection: Connection, keys: Keys, bells: Bells, durability: Durability, log: Log) {
    this.connection = connection;
    this.keys = keys;
    this.bells = bells;
    this.durability = durability;
    this.log = log;
  }

  async start(): Promise<void> {
    const [newest] = await asked(this.connection.xrevrange(this.keys.writes, '+', '-', 'COUNT', 1));
    this.cursor = newest?.[0] ?? START;
    this.following = this.follow();
  }

  async stop(): Promise<void> {
    this.halt.abort();
    await this.following;
  }

  async get<T>(collection: Collection, id: string): Promise<Versioned<T> | undefined> {
    const text = await asked(this.connection.hget(this.keys.registry(collection), id));
    return text === null ? undefined : fromStored(text);
  }

  async list<T>(collection: Collection): Promise<(Versioned<T> & { id: string })[]> {
    const found = new Map<string, string>();
    let cursor = '0';
    do {
      const [next, fields] = await asked(
        this.connection.hscan(this.keys.registry(collection), cursor, 'COUNT', SCAN_COUNT),
      );
      for (let i = 0; i < fields.length; i += 2) found.set(fields[i] as string, fields[i + 1] as string);
      cursor = next;
    } while (cursor !== '0');
    return [...found].map(([id, text]) => ({ ...fromStored<T>(text), id }));
  }

  async put<T>(collection: Collection, id: string, value: T, expected = -1): Promise<number | undefined> {
    const version = await this.write(collection, id, expected, JSON.stringify(value));
    return version === -1 ? undefined : version;
  }

  async remove(collection: Collection, id: string): Promise<void> {
    await this.write(collection, id, -1, '');
  }

  watch(listener: WriteListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  caughtUp(): Promise<void> {
    // Behind a reading that may have begun before this call comes one that begins after it.
    this.telling = this.telling.catch(() => {}).then(() => this.tellAll());
    return this.telling;
  }

  private async write(collection: Collection, id: string, expected: number, text: string): Promise<number> {
    const told = WATCHED.includes(collection) ? collection : '';
    const keys = [this.keys.registry(collection), this.keys.writes];
    const args = [id, expected, text, told, KEPT_WRITES, this.keys.bell('writes')];
    return (await this.durably([PUT, keys.length, ...keys, ...args])) as number;
  }

  /** Runs a script; with replicated durability its writes are on the replicas when this resolves. */
  private async durably(call: [script: string, keys: number, ...args: (string | number)[]]): Promise<unknown> {
    if (this.durability.replicas === 0) return asked(this.connection.eval(...call));
    return asked(evalAndWait(this.connection, call, this.durability.replicas));
  }

  private async follow(): Promise<void> {
    const { signal } = this.halt;
    while (!signal.aborted) {
      try {
        await readOrWait(this.bells.of('writes'), { limit: 1, waitMs: LOOK_EVERY_MS, signal }, () => this.notices(1));
        await this.caughtUp();
      } catch (error) {
        this.log.debug({ err: error }, 'could not follow the registry; trying again');
        await pause(RETRY_MS, signal);
      }
    }
  }

  private async tellAll(): Promise<void> {
    for (;;) {
      const notices = await this.notices(MAX_NOTICES);
      if (await this.isGap(notices.length > 0)) {
        if (notices.length === 0) this.cursor = START;
        await this.tellOfEverything();
      }
      if (notices.length === 0) return;
      for (const [offset, [collection, id]] of notices) {
        this.tell(collection as Watched, id as string);
        this.cursor = offset;
      }
    }
  }

  private notices(limit: number) {
    return asked(this.connection.xrange(this.keys.writes, `(${this.cursor}`, '+', 'COUNT', limit));
  }

  /**
   * True when the notice the cursor stands at is gone: newer ones may have been trimmed with it, or the server came back
   * with older data than it had, and then every document may be another.
   */
  private async isGap(hasNews: boolean): Promise<boolean> {
    if (this.cursor === START) return hasNews;
    const there = await asked(this.connection.xrange(this.keys.writes, this.cursor, this.cursor));
    return there.length === 0;
  }

  private async tellOfEverything(): Promise<void> {
    for (const collection of WATCHED) {
      for (const { id } of await this.list(collection)) this.tell(collection as Watched, id);
    }
  }

  private tell(collection: Watched, id: string): void {
    for (const listener of this.listeners) listener(collection, id);
  }
}

/** Documents are stored as `<version> <JSON>`. */
function fromStored<T>(text: string): Versioned<T> {
  const space = text.indexOf(' ');
  return { version: Number(text.slice(0, space)), value: JSON.parse(text.slice(space + 1)) };
}
