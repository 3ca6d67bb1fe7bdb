import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createLog } from '../../core/runtime/log.ts';
import { START } from '../../core/store/offset.ts';
import { RedisStore, type RedisStoreOptions } from '../../core/store/redis/store.ts';
import { parseAddress } from '../../core/store/redis-address.ts';
import type { Entry } from '../../core/voting/entry.ts';
import { Link } from '../link.ts';
import { redisCluster, redisServer, tell } from '../servers.ts';
import { CONTRACT_PARTITIONS, storeContract } from './contract.ts';

const log = createLog('silent');

/** Stores with a prefix of their own: data of their own. */
function fresh(url: string, more: Partial<RedisStoreOptions> = {}) {
  const prefix = `test-${randomUUID().slice(0, 8)}`;
  const options = { url, prefix, partitions: CONTRACT_PARTITIONS, durability: 'append', replicas: 1, ...more } as const;
  return { open: () => new RedisStore(options, log) };
}

t.test('the contract on one server', async (t: Test) => {
  const server = await redisServer(t.testdir());
  t.teardown(() => server.program.end());
  storeContract(t, async () => fresh(server.url));
});

t.test('the contract on a cluster of three', async (t: Test) => {
  const cluster = await redisCluster(t.testdir());
  t.teardown(() => cluster.end());
  storeContract(t, async () => fresh(cluster.url));
});

t.test('what a server cannot store is not stored later either, and goes on by itself', async (t: Test) => {
  const server = await redisServer(t.testdir());
  t.teardown(() => server.program.end());
  const link = await Link.to(server.port);
  t.teardown(() => link.end());
  const prefix = 'lines';
  const store = fresh(`redis://127.0.0.1:${link.port}`, { prefix }).open();
  const reader = fresh(server.url, { prefix }).open();
  await store.start();
  await reader.start();
  t.teardown(() => Promise.all([store.stop(), reader.stop()]));
  const entries = async () => (await reader.log.read(new Map([[0, START]]), { limit: 100, waitMs: 0 })).get(0) ?? [];
  const appended = (untilInMs: number) =>
    store.log.append(0, entry(), performance.now() + untilInMs).then(
      () => 'stored',
      (error: Error) => error,
    );
  let sequence = 0;
  const entry = (): Entry => ({
    type: 'votes',
    producer: 'run',
    sequence: sequence++,
    atMs: 1,
    rounds: [],
    refused: {},
  });

  t.equal(await appended(1_000), 'stored');

  link.hold();
  const late = appended(600);
  t.match(await late, { name: 'StoreError' });
  link.heal();
  await sleep(300);
  t.equal((await entries()).length, 1, 'the copy that was held up is not stored behind the back of who gave it up');

  link.hold();
  const patient = appended(3_000);
  await sleep(500);
  link.cut();
  await sleep(100);
  link.heal();
  t.equal(await patient, 'stored', 'a broken line is survived within the time');
  const [, ...copies] = await entries();
  t.ok(copies.length >= 1 && copies.every(({ entry }) => 'sequence' in entry && entry.sequence === 2));

  for (const [name, spoil, mend] of [
    ['out of memory', ['maxmemory', '1'], ['maxmemory', '0']],
    ['read-only', ['replica-read-only', 'yes'], undefined],
    ['without enough replicas', ['min-replicas-to-write', '1'], ['min-replicas-to-write', '0']],
  ] as const) {
    if (mend === undefined) await tell(server.port, 'REPLICAOF', '127.0.0.1', '1');
    else await tell(server.port, 'CONFIG', 'SET', ...spoil);
    t.match(await appended(700), { name: 'StoreError' }, name);
    await t.rejects(store.registry.put('polls', 'x', {}), { name: 'StoreError' }, name);
    if (mend === undefined) await tell(server.port, 'REPLICAOF', 'NO', 'ONE');
    else await tell(server.port, 'CONFIG', 'SET', ...mend);
    t.equal(await appended(3_000), 'stored', `${name}, and well again`);
  }
  await tell(server.port, 'SCRIPT', 'FLUSH');
  t.equal(await appended(500), 'stored', 'nothing rests on cached scripts');

  server.program.signal('SIGSTOP');
  const frozen = appended(500);
  t.match(await frozen, { name: 'StoreError' }, 'a frozen server is given up in time');
  server.program.signal('SIGCONT');
  t.equal(await appended(4_000), 'stored');
});

t.test('durability: what is asked for is checked, at the start and at every append', async (t: Test) => {
  const primary = await redisServer(join(t.testdirName, 'primary'));
  const replica = await redisServer(join(t.testdirName, 'replica'), ['--replicaof', '127.0.0.1', String(primary.port)]);
  t.teardown(async () => {
    await primary.program.end();
    await replica.program.end();
  });
  const fsync = fresh(primary.url, { durability: 'fsync' }).open();
  await t.rejects(fsync.start(), /appendfsync always; this one has appendonly yes and appendfsync everysec/);
  await fsync.stop();
  await tell(primary.port, 'CONFIG', 'SET', 'appendfsync', 'always');
  const synced = fresh(primary.url, { durability: 'fsync' }).open();
  await synced.start();
  await synced.stop();

  while (!String(await tell(primary.port, 'INFO', 'replication')).includes('state=online')) await sleep(50);
  const store = fresh(primary.url, { durability: 'replicated', replicas: 1 }).open();
  await store.start();
  t.teardown(() => store.stop());
  const marker: Entry = { type: 'close', poll: 'q', round: 1, atMs: 1 };
  await store.log.append(0, marker);
  t.equal(await tell(replica.port, 'EXISTS', 'x'), 0);
  replica.program.signal('SIGSTOP');
  await t.rejects(store.log.append(0, marker, performance.now() + 1_500), /0 of 1 replicas have it/);
  replica.program.signal('SIGCONT');
  await store.log.append(0, marker);
});

t.test('a Redis that would not keep votes is refused, with what to do', async (t: Test) => {
  const server = await redisServer(t.testdir(), ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru']);
  t.teardown(() => server.program.end());
  const store = fresh(server.url).open();
  await t.rejects(store.start(), /set maxmemory-policy noeviction/);
  await store.stop();
  await tell(server.port, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  const { open } = fresh(server.url);
  const first = open();
  await first.start();
  await first.stop();
  await first.stop();
  const { prefix } = (first as unknown as { options: RedisStoreOptions }).options;
  const other = fresh(server.url, { prefix, partitions: CONTRACT_PARTITIONS + 1 }).open();
  await t.rejects(other.start(), new RegExp(`set POLLCAST_PARTITIONS=${CONTRACT_PARTITIONS}`));
  await other.stop();
  const nobody = fresh('redis://127.0.0.1:1').open();
  await t.rejects(nobody.start(), /does not answer .*is POLLCAST_REDIS_URL right/);
  await nobody.stop();
});

t.test('addresses', async (t: Test) => {
  t.match(parseAddress('redis://h'), { mode: 'standalone', endpoints: [{ host: 'h', port: 6379 }] });
  t.match(parseAddress('rediss://u:p%40:x@[::1]:7000/2'), {
    endpoints: [{ host: '::1', port: 7000 }],
    options: { username: 'u', password: 'p@:x', db: 2, tls: {} },
  });
  t.match(parseAddress('redis-sentinel://a,b:2/main'), {
    mode: 'sentinel',
    primary: 'main',
    endpoints: [
      { host: 'a', port: 26379 },
      { host: 'b', port: 2 },
    ],
  });
  t.match(parseAddress('redis-cluster://a:1,b:2'), { mode: 'cluster' });
  for (const wrong of [
    '',
    'h:6379',
    'http://h',
    'redis://a,b',
    'redis-sentinel://a',
    'redis-cluster://a/1',
    'redis://h/x',
    'redis://h:99999',
  ]) {
    t.throws(() => parseAddress(wrong), /redis:\/\//, wrong);
  }
});
