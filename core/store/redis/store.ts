import type { Redis } from 'ioredis';
import type { Log } from '../../runtime/log.ts';
import { MAX_PARTITIONS } from '../../voting/count/partition.ts';
import { StoreError } from '../error.ts';
import { parseAddress } from '../redis-address.ts';
import type { Condition, Store } from '../store.ts';
import { RedisChanges } from './changes.ts';
import { Bells } from './connection/bells.ts';
import { awaitReady, connect, primaries, type RedisConnection, replyOf } from './connection/connection.ts';
import { RedisKeys } from './connection/keys.ts';
import { RedisCounts } from './counts.ts';
import { RedisLines } from './lines.ts';
import { RedisLog } from './log.ts';
import { RedisPresence } from './presence.ts';
import { RedisRegistry } from './registry.ts';
import { RedisTrails } from './trails.ts';

/** The oldest major version of Redis that has everything the store uses. */
const LEAST_VERSION = 7;

/** What an acknowledgement waits for; see the table in docs/OPERATIONS.md. */
export type DurabilityLevel = 'append' | 'fsync' | 'replicated';

export interface RedisStoreOptions {
  /** See `parseAddress`. */
  readonly url: string;
  /** The prefix of every key, so that several deployments can share one Redis. */
  readonly prefix: string;
  /** The number of partitions. An existing deployment must have been created with the same number. */
  readonly partitions: number;
  readonly durability: DurabilityLevel;
  /** With durability `replicated`: how many replicas must have a vote before it is acknowledged. */
  readonly replicas: number;
}

interface RedisParts {
  readonly connections: readonly RedisConnection[];
  readonly log: RedisLog;
  readonly counts: RedisCounts;
  readonly changes: RedisChanges;
  readonly registry: RedisRegistry;
  readonly presence: RedisPresence;
  readonly trails: RedisTrails;
  readonly lines: RedisLines;
}

/**
 * A store that several processes share, on a single Redis server, a server behind sentinels, or a cluster. It has three
 * connections: one for appends, so that they are never queued behind a commit, one for subscriptions, and one for everything
 * else.
 */
export class RedisStore implements Store {
  readonly log: RedisLog;
  readonly counts: RedisCounts;
  readonly changes: RedisChanges;
  readonly registry: RedisRegistry;
  readonly presence: RedisPresence;
  readonly trails: RedisTrails;
  readonly lines: RedisLines;
  private readonly connections: readonly RedisConnection[];

  private constructor({ connections, log, counts, changes, registry, presence, trails, lines }: RedisParts) {
    this.connections = connections;
    this.log = log;
    this.counts = counts;
    this.changes = changes;
    this.registry = registry;
    this.presence = presence;
    this.trails = trails;
    this.lines = lines;
  }

  /** Connects. Rejects with a message for the operator if that fails or the server is unsuitable. */
  static async open(options: RedisStoreOptions, parentLog: Log): Promise<RedisStore> {
    const { partitions: wanted, prefix, replicas } = options;
    if (!(wanted >= 1 && wanted <= MAX_PARTITIONS)) throw new RangeError(`partitions: ${wanted}`);
    const address = parseAddress(options.url);
    const log = parentLog.child({ part: 'redis' });
    const keys = new RedisKeys(prefix);
    const appending = connect(address, { name: 'appends' }, log);
    const working = connect(address, { name: 'reads and commits' }, log);
    const listening = connect(address, { name: 'bells', isSubscriber: true }, log);
    const connections = [appending, working, listening];
    try {
      await Promise.all(connections.map((connection) => awaitReady(connection, address)));
      await Promise.all(primaries(working).map((primary) => inspect(primary, options.durability, log)));
      const partitions = await agreedPartitions(working, keys, wanted, prefix);
      const bells = new Bells(listening, keys);
      const durability = { replicas: options.durability === 'replicated' ? replicas : 0 };
      return new RedisStore({
        connections,
        log: new RedisLog({ appending, reading: working, keys, bells, durability }, partitions),
        counts: new RedisCounts(working, keys),
        changes: new RedisChanges(working, keys, bells),
        registry: await RedisRegistry.open({ connection: working, keys, bells, durability, log }),
        presence: new RedisPresence(working, keys),
        trails: new RedisTrails(working, keys),
        lines: new RedisLines(working, listening, keys),
      });
    } catch (error) {
      for (const connection of connections) connection.disconnect();
      throw error;
    }
  }

  /** Always well so far: how Redis answers is what `/ready` asks for itself. */
  condition(): Condition {
    return { ok: true };
  }

  async close(): Promise<void> {
    await this.registry.close();
    for (const connection of this.connections) connection.disconnect();
  }
}

/** Refuses a server that is too old, may evict votes, or cannot provide the durability. Warns if it has no append-only file. */
async function inspect(primary: Redis, durability: DurabilityLevel, log: Log): Promise<void> {
  const info = await replyOf(primary.info());
  const fact = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const version = fact('redis_version');
  if (Number.parseInt(version, 10) < LEAST_VERSION) {
    throw new StoreError(`Redis ${version} is too old; ${LEAST_VERSION}.0 or newer is needed`);
  }
  const policy = fact('maxmemory_policy');
  if (Number(fact('maxmemory')) > 0 && policy !== 'noeviction') {
    throw new StoreError(
      `Redis may evict votes when its memory is full (maxmemory-policy ${policy}); set maxmemory-policy noeviction`,
    );
  }
  const isLogged = fact('aof_enabled') === '1';
  if (durability === 'fsync') await demandFsync(primary, isLogged);
  else if (!isLogged) log.warn('Redis has no append-only file, so votes are lost when it stops; set appendonly yes');
}

async function demandFsync(primary: Redis, isLogged: boolean): Promise<void> {
  const [, sync] = (await replyOf(primary.config('GET', 'appendfsync'))) as string[];
  if (isLogged && sync === 'always') return;
  throw new StoreError(
    `durability fsync requires Redis with appendonly yes and appendfsync always; this server has appendonly ${isLogged ? 'yes' : 'no'} and appendfsync ${sync}`,
  );
}

/** The number of partitions, which the first process of a deployment sets. */
async function agreedPartitions(
  connection: RedisConnection,
  keys: RedisKeys,
  wanted: number,
  prefix: string,
): Promise<number> {
  await replyOf(connection.hsetnx(keys.deployment, 'partitions', wanted));
  const existing = Number(await replyOf(connection.hget(keys.deployment, 'partitions')));
  if (existing === wanted) return wanted;
  throw new StoreError(
    `the deployment "${prefix}" in this Redis has ${existing} partitions, but ${wanted} are configured; set POLLCAST_PARTITIONS=${existing} (the number is fixed at the first start), or choose another POLLCAST_REDIS_PREFIX`,
  );
}
