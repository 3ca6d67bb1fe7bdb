import type { Log } from '../../runtime/log.ts';
import { pause } from '../../waiting/pause.ts';
import { repeat } from '../../waiting/repeat.ts';
import { type Offset, START } from '../offset.ts';
import {
  type Collection,
  isWatched,
  type Registry,
  type Versioned,
  WATCHED,
  type Watched,
  type WriteListener,
} from '../store.ts';
import type { Bells } from './connection/bells.ts';
import { type RedisConnection, replyOf } from './connection/connection.ts';
import type { RedisKeys } from './connection/keys.ts';
import { type Durability, evalAndWait } from './durability.ts';
import { readOrWait } from './reading.ts';
import { SharedRoundKeys } from './round-keys/round-keys.ts';
import { type Call, script } from './scripts/script.ts';

/** The number of write notices kept. A process that missed more notices than this is notified of every document. */
const KEPT_WRITES = 4096;
/** How long in ms to wait for a notice before checking anyway. */
const CHECK_EVERY_MS = 1_000;
const RETRY_MS = { first: 250 } as const;
/** The number of notices read at a time. */
const MAX_NOTICES = 256;
/** The number of documents requested at a time while listing. */
const SCAN_COUNT = 1_000;
/** Interval in ms at which documents are counted, to notice that one has vanished without a notice. */
const COUNT_EVERY_MS = 2_000;

const putDocument = script<
  'documents' | 'retired' | 'writes',
  'id' | 'expected' | 'document' | 'collection' | 'watched' | 'keptWrites' | 'channel'
>('put-document');

interface RegistryParts {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly bells: Bells;
  readonly durability: Durability;
  /** Used only for subscriptions. */
  readonly listening: RedisConnection;
  /** Where the keys of secret rounds are kept; undefined: in memory only. */
  readonly keysFolder: string | undefined;
  readonly log: Log;
}

/**
 * Documents in Redis hashes, one per collection. A stream holds a notice for each write of a watched document. The keys of secret
 * rounds are not in Redis.
 */
export class RedisRegistry implements Registry {
  private readonly connection: RedisConnection;
  private readonly keys: RedisKeys;
  private readonly bells: Bells;
  private readonly durability: Durability;
  private readonly log: Log;
  private readonly listeners = new Set<WriteListener>();
  private readonly halt = new AbortController();
  private cursor: Offset;
  private following = Promise.resolve();
  private notifying: Promise<void> = Promise.resolve();
  /** The polls that existed when they were last listed or written. Listeners must learn that one has vanished. */
  private readonly polls = new Set<string>();
  private countedAtMs = 0;
  private readonly roundKeys: SharedRoundKeys;

  private constructor(
    { connection, keys, bells, durability, log }: RegistryParts,
    cursor: Offset,
    roundKeys: SharedRoundKeys,
  ) {
    this.roundKeys = roundKeys;
    this.connection = connection;
    this.keys = keys;
    this.bells = bells;
    this.durability = durability;
    this.log = log;
    this.cursor = cursor;
  }

  /** Follows the writes of all processes from now on. */
  static async open(parts: RegistryParts): Promise<RedisRegistry> {
    const { connection, listening, keys, keysFolder: folder, log } = parts;
    const [newest] = await replyOf(connection.xrevrange(keys.writes, '+', '-', 'COUNT', 1));
    const ids = await replyOf(connection.hkeys(keys.registry('polls')));
    const onFound = (poll: string) => registry.notify('polls', poll);
    const roundKeys = await SharedRoundKeys.open({
      ...{ connection, listening, channel: keys.roundKeys, folder, onFound, log },
    });
    const registry: RedisRegistry = new RedisRegistry(parts, newest?.[0] ?? START, roundKeys);
    for (const id of ids) registry.polls.add(id);
    registry.following = repeat(() => registry.follow(), {
      signal: registry.halt.signal,
      retryMs: RETRY_MS,
      log: registry.log,
      failureMessage: 'could not follow the registry; trying again',
      level: 'debug',
    });
    return registry;
  }

  async close(): Promise<void> {
    this.halt.abort();
    this.roundKeys.close();
    await this.following;
  }

  async get<T>(collection: Collection, id: string): Promise<Versioned<T> | undefined> {
    const text = await replyOf(this.connection.hget(this.keys.registry(collection), id));
    return text === null ? undefined : this.opened(collection, id, fromStored(text));
  }

  async list<T>(collection: Collection): Promise<(Versioned<T> & { id: string })[]> {
    const found = new Map<string, string>();
    let cursor = '0';
    do {
      const [next, fields] = await replyOf(
        this.connection.hscan(this.keys.registry(collection), cursor, 'COUNT', SCAN_COUNT),
      );
      for (let i = 0; i < fields.length; i += 2) found.set(fields[i] as string, fields[i + 1] as string);
      cursor = next;
    } while (cursor !== '0');
    const all = [...found].map(([id, text]) => ({ ...fromStored<unknown>(text), id }));
    if (collection === 'polls') this.roundKeys.destroyOthers(all.map(({ value }) => value));
    return Promise.all(all.map(async (one) => ({ ...(await this.opened<T>(collection, one.id, one)), id: one.id })));
  }

  async put<T>(collection: Collection, id: string, value: T, expected = -1): Promise<number | undefined> {
    const stored = collection === 'polls' ? this.roundKeys.sealed(value) : value;
    const found = await this.write(collection, id, expected, JSON.stringify(stored));
    const version = found === -1 ? undefined : found;
    if (collection === 'polls') this.roundKeys.stored(id, stored, version);
    return version;
  }

  async remove(collection: Collection, id: string, expected = -1): Promise<boolean> {
    if ((await this.write(collection, id, expected, '')) === -1) return false;
    if (collection === 'polls') this.roundKeys.removed(id);
    return true;
  }

  watch(listener: WriteListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  caughtUp(): Promise<void> {
    // A read in progress may have begun before this call, so another read follows it.
    this.notifying = this.notifying.catch(() => {}).then(() => this.notifyAll());
    return this.notifying;
  }

  /** Resolves once listeners have been called for what has changed or vanished, and what they read at once has been answered. */
  async settled(): Promise<void> {
    await this.caughtUp();
    await this.noticeVanished();
    await pause(0);
    // A connection answers in order, so this answer comes after those to the listeners.
    await replyOf(this.connection.hlen(this.keys.registry('polls')));
  }

  private async opened<T>(collection: Collection, id: string, found: Versioned<unknown>): Promise<Versioned<T>> {
    const { value, version } = found;
    const opened = collection === 'polls' ? await this.roundKeys.opened(id, value, version) : value;
    return { value: opened as T, version };
  }

  private async write(collection: Collection, id: string, expected: number, document: string): Promise<number> {
    const call = putDocument(
      { documents: this.keys.registry(collection), retired: this.keys.retired, writes: this.keys.writes },
      {
        id,
        expected,
        document,
        collection,
        watched: isWatched(collection) ? 1 : 0,
        keptWrites: KEPT_WRITES,
        channel: this.keys.bell('writes'),
      },
    );
    return (await this.durably(call)) as number;
  }

  /** Runs a script. With durability `replicated`, resolves only once enough replicas have its writes. */
  private async durably(call: Call): Promise<unknown> {
    if (this.durability.replicas === 0) return replyOf(this.connection.eval(...call));
    return replyOf(evalAndWait(this.connection, call, this.durability.replicas));
  }

  private async follow(): Promise<void> {
    const options = { limit: 1, waitMs: CHECK_EVERY_MS, signal: this.halt.signal };
    await readOrWait(this.bells.of('writes'), options, () => this.notices(1));
    await this.caughtUp();
    if (performance.now() - this.countedAtMs < COUNT_EVERY_MS) return;
    this.countedAtMs = performance.now();
    await this.noticeVanished();
  }

  /** A failover, or somebody who removes keys, may make documents vanish without a notice. */
  private async noticeVanished(): Promise<void> {
    const count = await replyOf(this.connection.hlen(this.keys.registry('polls')));
    if (count >= this.polls.size) return;
    const left = new Set(await this.pollIds());
    for (const id of [...this.polls].filter((id) => !left.has(id))) {
      this.notify('polls', id);
      this.polls.delete(id);
    }
  }

  private pollIds(): Promise<string[]> {
    return replyOf(this.connection.hkeys(this.keys.registry('polls')));
  }

  private async notifyAll(): Promise<void> {
    for (;;) {
      const notices = await this.notices(MAX_NOTICES);
      if (await this.isGap(notices.length > 0)) {
        if (notices.length === 0) this.cursor = START;
        await this.notifyOfEverything();
      }
      if (notices.length === 0) return;
      for (const [offset, [collection, id]] of notices) {
        this.notify(collection as Watched, id as string);
        this.cursor = offset;
      }
    }
  }

  private notices(limit: number) {
    return replyOf(this.connection.xrange(this.keys.writes, `(${this.cursor}`, '+', 'COUNT', limit));
  }

  /**
   * True if notices may have been missed, because the notice at the cursor no longer exists. Newer notices may have been
   * trimmed with it, or a failover may have brought back older data, so any document may have changed.
   */
  private async isGap(hasNews: boolean): Promise<boolean> {
    if (this.cursor === START) return hasNews;
    const found = await replyOf(this.connection.xrange(this.keys.writes, this.cursor, this.cursor));
    return found.length === 0;
  }

  private async notifyOfEverything(): Promise<void> {
    await this.noticeVanished();
    for (const collection of WATCHED) {
      for (const { id } of await this.list(collection)) this.notify(collection, id);
    }
  }

  private notify(collection: Watched, id: string): void {
    if (collection === 'polls') this.polls.add(id);
    for (const listener of this.listeners) listener(collection, id);
  }
}

/** Documents are stored as `<version> <JSON>`. */
function fromStored<T>(text: string): Versioned<T> {
  const space = text.indexOf(' ');
  return { version: Number(text.slice(0, space)), value: JSON.parse(text.slice(space + 1)) };
}
