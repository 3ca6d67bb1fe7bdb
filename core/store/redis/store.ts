import type { Log } from '../../runtime/log.ts';
import { MAX_PARTITIONS } from '../../voting/partition.ts';
import { StoreError } from '../error.ts';
import { parseAddress, type RedisAddress } from '../redis-address.ts';
import type { Store } from '../store.ts';
import { Bells } from './bells.ts';
import { RedisChanges } from './changes.ts';
import { asked, type Connection, connect, primaries, ready } from './connection.ts';
import { RedisCounts } from './counts.ts';
import { Keys } from './keys.ts';
import { RedisLog } from './log.ts';
import { RedisPresence } from './presence.ts';
import { RedisRegistry } from './registry.ts';

/** Redis before this version lacks what the store uses. */
const LEAST_VERSION = 7;

/** What an acknowledgement waits for; see the table in docs/OPERATIONS.md. */
export type DurabilityLevel = 'append' | 'fsync' | 'replicated';

export interface RedisStoreOptions {
  /** See `parseAddress`. */
  readonly url: string;
  /** Begins every key, so that deployments can share a Redis. */
  readonly prefix: string;
  /** Partitions of a new deployment; an existing one must have been made with the same number. */
  readonly partitions: number;
  readonly durability: DurabilityLevel;
  /** How many replicas must have a vote before it is acknowledged, at level `replicated`. */
  readonly replicas: number;
}

/**
 * The store of many processes, on Redis: a single server, behind sentinels, or a cluster. Three connections, so that
 * what devices wait for is not queued behind a commit: one appends, one listens, one does all the rest.
 */
export class RedisStore implements Store {
  private readonly options: RedisStoreOptions;
  private readonly address: RedisAddress;
  private readonly logger: Log;
  private connections: Connection[] = [];
  private parts: (Omit<Store, 'start' | 'stop'> & { readonly registry: RedisRegistry }) | undefined;

  constructor(options: RedisStoreOptions, log: Log) {
    const { partitions } = options;
    if (!(partitions >= 1 && partitions <= MAX_PARTITIONS)) throw new RangeError(`partitions: ${partitions}`);
    this.options = options;
    this.address = parseAddress(options.url);
    this.logger = log.child({ part: 'redis' });
  }

  async start(): Promise<void> {
    const { address, logger: log } = this;
    const keys = new Keys(this.options.prefix);
    const appending = connect(address, { name: 'appends' }, log);
    const working = connect(address, { name: 'reads and commits' }, log);
    const listening = connect(address, { name: 'bells', isSubscriber: true }, log);
    this.connections = [appending, working, listening];
    await Promise.all(this.connections.map((connection) => ready(connection, address)));
    await Promise.all(primaries(working).map((primary) => this.inspect(primary)));
    const partitions = await this.partitions(working, keys);
    const bells = new Bells(listening, keys);
    const durability = { replicas: this.options.durability === 'replicated' ? this.options.replicas : 0 };
    const registry = new RedisRegistry(working, keys, bells, durability, log);
    this.parts = {
      log: new RedisLog({ appending, reading: working, keys, bells, durability }, partitions),
      counts: new RedisCounts(working, keys),
      changes: new RedisChanges(working, keys, bells),
      registry,
      presence: new RedisPresence(working, keys),
    };
    await registry.start();
  }

  async stop(): Promise<void> {
    await this.parts?.registry.stop();
    const { connections } = this;
    this.connections = [];
    for (const connection of connections) connection.disconnect();
  }

  get log() {
    return this.started.log;
  }
  get counts() {
    return this.started.counts;
  }
  get changes() {
    return this.started.changes;
  }
  get registry() {
    return this.started.registry;
  }
  get presence() {
    return this.started.presence;
  }

  private get started() {
    if (!this.parts) throw new Error('the store is not started');
    return this.parts;
  }

  /** Refuses a server that would lose votes that were promised to be kept, and says of one that may. */
  private async inspect(primary: ReturnType<typeof primaries>[number]): Promise<void> {
    const info = await asked(primary.info());
    const fact = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
    const version = fact('redis_version');
    if (Number.parseInt(version, 10) < LEAST_VERSION) {
      throw new StoreError(`Redis ${version} is too old; ${LEAST_VERSION}.0 or newer is needed`);
    }
    const policy = fact('maxmemory_policy');
    if (Number(fact('maxmemory')) > 0 && policy !== 'noeviction') {
      throw new StoreError(
        `Redis may throw votes away when its memory is full (maxmemory-policy ${policy}); set maxmemory-policy noeviction`,
      );
    }
    const isLogged = fact('aof_enabled') === '1';
    if (this.options.durability === 'fsync') await this.demandFsync(primary, isLogged);
    else if (!isLogged) {
      this.logger.warn('Redis keeps no append-only file: votes are lost when it stops; set appendonly yes');
    }
  }

  private async demandFsync(primary: ReturnType<typeof primaries>[number], isLogged: boolean): Promise<void> {
    const [, sync] = (await asked(primary.config('GET', 'appendfsync'))) as string[];
    if (isLogged && sync === 'always') return;
    throw new StoreError(
      `durability fsync needs a Redis with appendonly yes and appendfsync always; this one has appendonly ${isLogged ? 'yes' : 'no'} and appendfsync ${sync}`,
    );
  }

  private async partitions(connection: Connection, keys: Keys): Promise<number> {
    const { partitions: wanted, prefix } = this.options;
    await asked(connection.hsetnx(keys.deployment, 'partitions', wanted));
    const existing = Number(await asked(connection.hget(keys.deployment, 'partitions')));
    if (existing === wanted) return wanted;
    throw new StoreError(
      `"${prefix}" in this Redis is a deployment of ${existing} partitions, and ${wanted} are configured; set POLLCAST_PARTITIONS=${existing} (the number is fixed at the first start), or another POLLCAST_REDIS_PREFIX`,
    );
  }
}
