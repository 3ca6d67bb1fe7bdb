import { randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import { createLog } from '../../../core/runtime/log.ts';
import { START } from '../../../core/store/offset.ts';
import { RedisStore, type RedisStoreOptions } from '../../../core/store/redis/store.ts';
import type { Condition, Store } from '../../../core/store/store.ts';
import type { Entry } from '../../../core/voting/count/entry.ts';
import { eventually } from '../../support/eventually.ts';
import { type RedisServer, redisServer } from '../../support/servers.ts';
import { CONTRACT_PARTITIONS } from '../subject.ts';

export const log = createLog('silent');
export const marker: Entry = { type: 'close', poll: 'q', round: 1, atMs: 1 };

/** Where a store is in Redis; each has a prefix of its own. */
export function placeOn({ url }: { url: string }) {
  return { url, prefix: `test-${randomUUID().slice(0, 8)}`, partitions: CONTRACT_PARTITIONS };
}

/** A store that is closed after the test. */
export async function opened(t: Test, place: ReturnType<typeof placeOn>, more: Partial<RedisStoreOptions> = {}) {
  const store = await RedisStore.open({ ...place, durability: 'append', replicas: 1, ...more }, log);
  t.teardown(() => store.close());
  return store;
}

/** A Redis server that ends with the test. */
export async function server(t: Test, more: readonly string[] = []): Promise<RedisServer> {
  const redis = await redisServer(t.testdir(), more);
  t.teardown(() => redis.program.end());
  return redis;
}

/** Appends, and gives up before the test does. */
export const soon = (store: Store) => store.log.append(0, marker, performance.now() + 700);
export const conditionOf = (store: Store, what: string, isIt: (condition: Condition) => boolean) =>
  eventually(what, async () => (isIt(store.condition()) ? store.condition() : undefined));
/** How many entries the first partition has. */
export const count = async (store: Store) =>
  (await store.log.read(new Map([[0, START]]), { limit: 1_000, waitMs: 0 })).get(0)?.length ?? 0;
export const isOk = ({ ok }: Condition) => ok;
