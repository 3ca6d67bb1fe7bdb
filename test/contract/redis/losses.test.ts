/** What is gone from Redis is noticed before the next vote is acknowledged, and an operator decides what happens. */
import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { START } from '../../../core/store/offset.ts';
import { acceptStore, storeState } from '../../../core/store/redis/guard/accept.ts';
import type { Loss } from '../../../core/store/redis/guard/known.ts';
import type { Condition } from '../../../core/store/store.ts';
import { type RedisServer, redisCluster, tell } from '../../support/servers.ts';
import { CONTRACT_PARTITIONS } from '../subject.ts';
import { conditionOf, isOk, log, marker, opened, placeOn, server, soon } from './place.ts';

t.setTimeout(300_000);

const isGone = (condition: Condition) => !condition.ok && condition.isGone === true;

const losses: Record<string, (redis: RedisServer, prefix: string, directory: string) => Promise<unknown>> = {
  'everything is flushed': ({ port }) => tell(port, 'FLUSHALL'),
  'Redis restarts without its files': async ({ program }, _, directory) => {
    await program.end('SIGKILL');
    rmSync(join(directory, 'appendonlydir'), { recursive: true });
    await program.start();
  },
  'one log is deleted': ({ port }, prefix) => tell(port, 'DEL', `{${prefix}:0}:log`),
  'one partition is deleted': async ({ port }, prefix) => {
    for (const key of ['log', 'mark', 'position']) await tell(port, 'DEL', `{${prefix}:1}:${key}`);
  },
  'the positions of the count are deleted': async (redis, prefix) => {
    await sleep(2_500);
    await tell(redis.port, 'DEL', `{${prefix}:0}:position`);
  },
  'a log is cut off at its end': async ({ port }, prefix) => {
    await tell(port, 'COPY', `{${prefix}:0}:log`, `{${prefix}:0}:other`);
    await tell(port, 'DEL', `{${prefix}:0}:log`);
    await tell(port, 'XADD', `{${prefix}:0}:log`, '1-1', 'e', '');
  },
  'the polls are deleted with their mark': ({ port }, prefix) => tell(port, 'DEL', `{${prefix}:registry}:mark`),
  'the key of the deployment is deleted': ({ port }, prefix) => tell(port, 'DEL', `${prefix}:deployment`),
};

for (const [name, lose] of Object.entries(losses)) {
  t.test(`no vote is acknowledged after ${name}, until an operator accepts the store`, async (t) => {
    const redis = await server(t);
    const place = placeOn(redis);
    const store = await opened(t, place);
    for (const [p] of [0, 1].entries()) {
      const offset = await store.log.append(p, marker);
      const nothing = { expectedCheckpoint: undefined, slices: [], producers: [], refused: {}, entries: 1 };
      await store.counts.commit({ partition: p, expected: START, offset, ...nothing });
    }
    await lose(redis, place.prefix, t.testdirName);
    const startMs = performance.now();
    const condition = await conditionOf(store, 'the loss to be noticed', isGone);
    t.comment(`noticed after ${Math.round(performance.now() - startMs)} ms`);
    t.match(condition, { reason: /gone|lacks|another store/ });
    t.match(condition, { reason: /pollcast store accept/ });
    await t.rejects(soon(store), { name: 'StoreError' });
    await t.rejects(store.registry.list('polls'), { message: /pollcast store accept/ });

    await acceptStore(place, log);
    await conditionOf(store, 'the store to be accepted', isOk);
    await store.log.append(0, marker);
    const { offset } = await store.counts.position(0);
    const found = (await store.log.read(new Map([[0, offset]]), { limit: 10, waitMs: 0 })).get(0);
    t.ok((found?.length ?? 0) > 0, 'what is appended now comes after what was counted');
    t.match(await storeState(place, log), { gone: [] });
    const other = await opened(t, place);
    t.ok(other.condition().ok, 'another process starts');
  });
}

t.test('the first append after everything was flushed is not acknowledged', async (t) => {
  const redis = await server(t);
  const store = await opened(t, placeOn(redis));
  await store.log.append(0, marker);
  await tell(redis.port, 'FLUSHALL');
  await t.rejects(soon(store), { message: /gone|empty/ });
  t.equal(Number(await tell(redis.port, 'EXISTS', 'log')), 0);
});

t.test(
  'the first append after a log has lost its end is not acknowledged, so that it does not hide the loss',
  async (t) => {
    const redis = await server(t);
    const place = placeOn(redis);
    const store = await opened(t, place);
    const first = await store.log.append(0, marker);
    await store.log.append(0, marker);
    const script = "redis.call('DEL', KEYS[1]) redis.call('XADD', KEYS[1], ARGV[1], 'e', '')";
    await tell(redis.port, 'EVAL', script, '1', `{${place.prefix}:0}:log`, first);
    await t.rejects(soon(store), { name: 'StoreError' });
    t.match(await conditionOf(store, 'the loss to be noticed', isGone), { reason: /lacks entries/ });
  },
);

t.test('what one shard of a cluster has lost in a restart is reported, although votes go on', async (t) => {
  const cluster = await redisCluster(t.testdir());
  t.teardown(() => cluster.end());
  const lost: Loss[] = [];
  const place = placeOn(cluster);
  const store = await opened(t, place, { onLoss: (loss) => lost.push(loss) });
  for (let p = 0; p < CONTRACT_PARTITIONS; p++) await store.log.append(p, marker);
  const keys = await Promise.all(cluster.nodes.map(({ port }) => tell(port, 'KEYS', `{${place.prefix}:0}:log`)));
  const shard = keys.findIndex((found) => (found as string[]).length > 0);
  const files = join(t.testdirName, String(shard), 'appendonlydir');
  // What a failover to a replica that is behind leaves: everything up to some moment.
  cpSync(files, `${files}.before`, { recursive: true });
  const ends = await Promise.all(Array.from({ length: CONTRACT_PARTITIONS }, (_, p) => store.log.append(p, marker)));
  const { program } = cluster.nodes[shard] as RedisServer;
  await program.end('SIGKILL');
  rmSync(files, { recursive: true });
  renameSync(`${files}.before`, files);
  const appended = ends.map((_, p) => store.log.append(p, marker));
  await program.start();
  await Promise.all(appended);
  const here = await Promise.all(
    ends.map(async (end, p) => {
      const found = (await store.log.read(new Map([[p, START]]), { limit: 10, waitMs: 0 })).get(p) ?? [];
      return found.some(({ offset }) => offset === end);
    }),
  );
  const expected = ends.map((until, partition) => ({ partition, until })).filter((_, p) => !here[p]);
  t.notOk(here[0], 'the shard has lost an entry');
  t.match(lost, expected);
  t.equal(lost.length, expected.length);
  t.ok(store.condition().ok);
});
