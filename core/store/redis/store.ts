import { join } from 'node:path';
import { Cluster } from 'ioredis';
import type { Log } from '../../runtime/log.ts';
import { MAX_PARTITIONS } from '../../voting/count/partition.ts';
import { BallotReader } from '../ballots/reader.ts';
import { parseAddress, type SentinelCredentials } from '../redis-address.ts';
import type { Ballots, Condition, Store } from '../store.ts';
import { RedisChanges } from './changes.ts';
import { Bells } from './connection/bells.ts';
import { awaitReady, connect, gate, primaries, type RedisConnection } from './connection/connection.ts';
import { RedisKeys } from './connection/keys.ts';
import { SentinelWatch } from './connection/sentinels.ts';
import { RedisCounts } from './counts.ts';
import { StoreGuard } from './guard/guard.ts';
import { type DurabilityLevel, inspect } from './guard/inspection.ts';
import type { Loss } from './guard/known.ts';
import { agreeDeployment } from './guard/mark.ts';
import { demandRights } from './guard/rights.ts';
import { RedisLines } from './lines.ts';
import { RedisLog } from './log.ts';
import { RedisPresence } from './presence.ts';
import { RedisRegistry } from './registry.ts';
import { RedisTrails } from './trails.ts';
import { WrittenFormat } from './written-format.ts';

export interface RedisStoreOptions extends SentinelCredentials {
  /** See `parseAddress`. */
  readonly url: string;
  /** The prefix of every key, so that several deployments can share one Redis. */
  readonly prefix: string;
  /** The number of partitions. An existing deployment must have been created with the same number. */
  readonly partitions: number;
  readonly durability: DurabilityLevel;
  /** With durability `replicated`: how many replicas must have a vote before it is acknowledged. */
  readonly replicas: number;
  /**
   * Where the keys of secret rounds are kept, below a folder for this store, so that they survive a restart of all processes. If
   * absent, they are in memory only.
   */
  readonly keysDirectory?: string | undefined;
  /** Called when a restart or a failover has lost entries that were known to be stored. */
  readonly onLoss?: ((loss: Loss) => void) | undefined;
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
  readonly guard: StoreGuard;
  readonly sentinels: SentinelWatch | undefined;
  readonly report: (message: string) => void;
}

/**
 * A store that several processes share, on a single Redis server, a server behind sentinels, or a cluster. It has four
 * connections: one for appends, so that they are never queued behind a commit, one for subscriptions, one for checks, and one for
 * everything else.
 */
export class RedisStore implements Store {
  readonly log: RedisLog;
  readonly counts: RedisCounts;
  readonly ballots: Ballots;
  readonly changes: RedisChanges;
  readonly registry: RedisRegistry;
  readonly presence: RedisPresence;
  readonly trails: RedisTrails;
  readonly lines: RedisLines;
  private readonly parts: RedisParts;

  private constructor(parts: RedisParts) {
    this.parts = parts;
    this.log = parts.log;
    this.counts = parts.counts;
    this.ballots = new BallotReader(parts);
    this.changes = parts.changes;
    this.registry = parts.registry;
    this.presence = parts.presence;
    this.trails = parts.trails;
    this.lines = parts.lines;
  }

  /** Connects. Rejects with a message for the operator if that fails or the server is unsuitable. */
  static async open(options: RedisStoreOptions, parentLog: Log): Promise<RedisStore> {
    const { partitions: wanted, prefix, replicas } = options;
    if (!(wanted >= 1 && wanted <= MAX_PARTITIONS)) throw new RangeError(`partitions: ${wanted}`);
    const address = parseAddress(options.url, options);
    const log = parentLog.child({ part: 'redis' });
    const keys = new RedisKeys(prefix);
    const appending = connect(address, { name: 'appends' }, log);
    const working = connect(address, { name: 'reads and commits' }, log);
    const checking = connect(address, { name: 'checks' }, log);
    const listening = connect(address, { name: 'bells', isSubscriber: true }, log);
    const connections = [appending, working, checking, listening];
    const running: { close(): Promise<void> }[] = [];
    try {
      await Promise.all(connections.map((connection) => awaitReady(connection, address)));
      await demandRights({ working, listening, prefix, durability: options.durability });
      await warnIfNotLogged(working, options.durability, log);
      const { partitions, mark, isNew } = await agreeDeployment(working, keys, wanted, prefix);
      if (isNew) {
        log.warn(
          { prefix },
          'this Redis had no data of this deployment, so a new one begins; if there should be polls, stop now',
        );
      }
      const waiting = { durability: options.durability, replicas: options.durability === 'replicated' ? replicas : 0 };
      const guard = await StoreGuard.open({
        ...{ connection: checking, keys, partitions, mark, ...waiting },
        ...{ isCluster: address.mode === 'cluster', onLoss: options.onLoss, log },
      });
      running.push(guard);
      appending.on('close', () => guard.reconnected());
      // A cluster closes only when it has lost all of its nodes.
      if (appending instanceof Cluster) appending.on('-node', () => guard.reconnected());
      appending.on('ready', () => guard.suspect());
      gate(working, () => guard.loss);
      const bells = new Bells(listening, keys);
      const { durability } = { durability: { replicas: waiting.replicas } };
      const { keysDirectory } = options;
      const keysFolder = keysDirectory === undefined ? undefined : join(keysDirectory, mark.id);
      const registry = await RedisRegistry.open({
        ...{ connection: working, listening, keys, bells, durability, keysFolder, log },
      });
      running.push(registry);
      guard.resyncBy(() => registry.settled());
      const presence = new RedisPresence(working, keys);
      const format = new WrittenFormat(presence);
      return new RedisStore({
        connections,
        guard,
        sentinels: SentinelWatch.open(address, connections, log, guard),
        log: new RedisLog({ appending, reading: working, keys, bells, durability, guard, format }, partitions),
        counts: new RedisCounts(working, keys),
        changes: new RedisChanges(working, keys, bells),
        registry,
        presence,
        trails: new RedisTrails(working, keys),
        report: (message) => log.error(message),
        lines: new RedisLines(working, listening, keys),
      });
    } catch (error) {
      for (const connection of connections) connection.disconnect();
      // Otherwise they would go on checking and following a store that nobody uses.
      await Promise.all(running.map((each) => each.close()));
      throw error;
    }
  }

  condition(): Condition {
    return this.parts.guard.condition();
  }

  async close(): Promise<void> {
    const { guard, sentinels, connections } = this.parts;
    sentinels?.close();
    await Promise.all([this.parts.registry.close(), guard.close()]);
    for (const connection of connections) connection.disconnect();
  }
}

/** Warns if a server has no append-only file. */
async function warnIfNotLogged(connection: RedisConnection, durability: DurabilityLevel, log: Log): Promise<void> {
  const facts = await Promise.all(primaries(connection).map((primary) => inspect(primary, durability)));
  if (facts.some(({ isLogged }) => !isLogged)) {
    log.warn('Redis has no append-only file, so votes are lost when it stops; set appendonly yes');
  }
}
