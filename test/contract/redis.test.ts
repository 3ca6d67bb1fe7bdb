import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createLog } from '../../core/runtime/log.ts';
import { START } from '../../core/store/offset.ts';
import { RedisStore, type RedisStoreOptions } from '../../core/store/redis/store.ts';
import { parseAddress } from '../../core/store/redis-address.ts';
import type { Entry } from '../../core/voting/count/entry.ts';
import { Link } from '../support/network/link.ts';
import { redisCluster, redisServer, tell } from '../support/servers.ts';
import { storeContract } from './contract.ts';
import { CONTRACT_PARTITIONS } from './subject.ts';

const log = createLog('silent');

/** Prepares stores under a new prefix, unless `more` has one, so that tests do not share data. */
function fresh(url: string, more: Partial<RedisStoreOptions> = {}) {
  const { prefix = `test-${randomUUID().slice(0, 8)}` } = more;
  const options = { url, partitions: CONTRACT_PARTITIONS, durability: 'append', replicas: 1, ...more, prefix } as const;
  return { prefix, open: () => RedisStore.open(options, log) };
}

t.test('the storage contract holds on one Redis server', async (t: Test) => {
  const server = await redisServer(t.testdir());
  t.teardown(() => server.program.end());
  storeContract(t, async () => fresh(server.url));
});

t.test('the storage contract holds on a Redis Cluster with three primaries', async (t: Test) => {
  const cluster = await redisCluster(t.testdir());
  t.teardown(() => cluster.end());
  storeContract(t, async () => fresh(cluster.url));
});

t.test(
  'a new document that is sent again because the reply was lost is recognised, whatever its version',
  async (t: Test) => {
    const server = await redisServer(t.testdir());
    t.teardown(() => server.program.end());
    const store = await fresh(server.url).open();
    t.teardown(() => store.close());
    const { registry } = store;
    for (const i of [1, 2, 3]) await registry.put('devices', 'gone', { i });
    await registry.remove('devices', 'gone');
    const version = await registry.put('devices', 'x', { salt: 'one' }, 0);
    t.equal(await registry.put('devices', 'x', { salt: 'one' }, 0), version);
    t.equal(await registry.put('devices', 'x', { salt: 'two' }, 0), undefined);
    t.same((await registry.get('devices', 'x'))?.value, { salt: 'one' });
  },
);

t.test('a version does not come again if an earlier version of this program has removed the document', async (t) => {
  const server = await redisServer(t.testdir());
  t.teardown(() => server.program.end());
  const { prefix, open } = fresh(server.url);
  const store = await open();
  t.teardown(() => store.close());
  const { registry } = store;
  const documents = `{${prefix}:registry}:polls`;
  // As in a deployment that the earlier version has begun.
  await tell(server.port, 'DEL', `{${prefix}:registry}:retired`);
  await tell(server.port, 'HSET', documents, 'q', '41 {"is":"first"}');
  await tell(server.port, 'HDEL', documents, 'q');
  const second = await registry.put('polls', 'q', { is: 'second' }, 0);
  t.ok(Number.isSafeInteger(second) && (second as number) > 41, `${second}`);
  t.equal(await registry.put('polls', 'q', { is: 'second' }, 0), second, 'a lost reply is still recognised');
  // Noted for another document of the collection, while the earlier version is still running.
  await registry.put('polls', 'other', {}, 0);
  await registry.remove('polls', 'other');
  await tell(server.port, 'HDEL', documents, 'q');
  await sleep(2);
  const third = await registry.put('polls', 'q', { is: 'third' }, 0);
  t.ok((third as number) > (second as number), `${third}`);
  t.equal(await registry.put('polls', 'q', { is: 'late' }, second), undefined);
  t.match(await registry.get('polls', 'q'), { value: { is: 'third' }, version: third });
});

t.test('a checkpoint larger than Redis takes from a client at once is stored, and leaves nothing behind', async (t) => {
  const server = await redisServer(t.testdir(), ['--client-query-buffer-limit', '6mb']);
  t.teardown(() => server.program.end());
  const { prefix, open } = fresh(server.url);
  const store = await open();
  t.teardown(() => store.close());
  const { counts, log: entries } = store;
  const offset = await entries.append(0, {
    type: 'votes',
    producer: 'run',
    sequence: 0,
    atMs: 1,
    rounds: [],
    refused: {},
  });
  const pages = new Map(Array.from({ length: 4_096 }, (_, page) => [page, Buffer.alloc(4_000, page)]));
  const checkpoint = {
    producers: new Map(),
    rounds: [{ poll: 'q', round: 1, count: 4_096, pages, replacesRows: false }],
  };
  const commit = {
    partition: 0,
    expectedCheckpoint: undefined,
    offset,
    entries: 1,
    slices: [],
    producers: [],
    refused: {},
  };
  t.equal(await counts.commit({ ...commit, expected: START, checkpoint }), true);
  t.equal((await counts.stored(0, 'q', 1)).pages.size, pages.size);
  t.equal(await counts.commit({ ...commit, expected: START, checkpoint }), false, 'it is not stored twice');
  t.same(await tell(server.port, 'KEYS', `{${prefix}:0}:staged:*`), []);
});

t.test('an append whose machine was suspended between two attempts keeps its time limit', async (t: Test) => {
  const server = await redisServer(t.testdir());
  t.teardown(() => server.program.end());
  const link = await Link.to(server.port);
  t.teardown(() => link.end());
  const prefix = 'suspended';
  const store = await fresh(`redis://127.0.0.1:${link.port}`, { prefix }).open();
  const reader = await fresh(server.url, { prefix }).open();
  t.teardown(() => Promise.all([store.close(), reader.close()]));
  const entry: Entry = { type: 'votes', producer: 'run', sequence: 0, atMs: 1, rounds: [], refused: {} };
  await store.log.append(0, entry);

  link.hold();
  const appended = store.log.append(0, { ...entry, sequence: 1 }, performance.now() + 1_000);
  appended.catch(() => {});
  await sleep(200);
  // A suspended machine: its monotonic clock stands still, its wall clock and the server’s go on.
  const { now } = performance;
  const stoodAtMs = now.call(performance);
  t.teardown(() => Object.assign(performance, { now }));
  performance.now = () => stoodAtMs;
  await sleep(2_000);
  performance.now = () => now.call(performance) - 2_000;
  link.cut();
  await sleep(100);
  link.heal();
  await t.rejects(appended, { name: 'StoreError' }, 'a round may have been closed in between');
  t.equal(await reader.log.appended(0), 1);
});

t.test('a failed append is not stored later, and the store recovers automatically', async (t: Test) => {
  const server = await redisServer(t.testdir());
  t.teardown(() => server.program.end());
  const link = await Link.to(server.port);
  t.teardown(() => link.end());
  const prefix = 'lines';
  const store = await fresh(`redis://127.0.0.1:${link.port}`, { prefix }).open();
  const reader = await fresh(server.url, { prefix }).open();
  t.teardown(() => Promise.all([store.close(), reader.close()]));
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
  t.equal((await entries()).length, 1, 'an append that timed out is not stored when the link recovers');

  link.hold();
  const patient = appended(3_000);
  await sleep(500);
  link.cut();
  await sleep(100);
  link.heal();
  t.equal(await patient, 'stored', 'an append survives a broken connection that recovers before the deadline');
  const [, ...copies] = await entries();
  t.ok(copies.length >= 1 && copies.every(({ entry }) => 'sequence' in entry && entry.sequence === 2));

  for (const [name, fault, repair] of [
    ['out of memory', ['maxmemory', '1'], ['maxmemory', '0']],
    ['read-only', ['replica-read-only', 'yes'], undefined],
    ['without enough replicas', ['min-replicas-to-write', '1'], ['min-replicas-to-write', '0']],
  ] as const) {
    if (repair === undefined) await tell(server.port, 'REPLICAOF', '127.0.0.1', '1');
    else await tell(server.port, 'CONFIG', 'SET', ...fault);
    t.match(await appended(700), { name: 'StoreError' }, `an append fails while the server is ${name}`);
    await t.rejects(
      store.registry.put('polls', 'x', {}),
      { name: 'StoreError' },
      `a put fails while the server is ${name}`,
    );
    if (repair === undefined) await tell(server.port, 'REPLICAOF', 'NO', 'ONE');
    else await tell(server.port, 'CONFIG', 'SET', ...repair);
    t.equal(await appended(3_000), 'stored', `appends succeed again after the server was ${name}`);
  }
  await tell(server.port, 'SCRIPT', 'FLUSH');
  t.equal(await appended(500), 'stored', 'appends succeed although Redis has forgotten the cached scripts');

  server.program.signal('SIGSTOP');
  const frozen = appended(500);
  t.match(await frozen, { name: 'StoreError' }, 'an append to a frozen server times out');
  server.program.signal('SIGCONT');
  t.equal(await appended(4_000), 'stored');
});

t.test('the requested durability is checked at startup and at every append', async (t: Test) => {
  const primary = await redisServer(join(t.testdirName, 'primary'));
  const replica = await redisServer(join(t.testdirName, 'replica'), ['--replicaof', '127.0.0.1', String(primary.port)]);
  t.teardown(async () => {
    await primary.program.end();
    await replica.program.end();
  });
  const fsync = fresh(primary.url, { durability: 'fsync' });
  await t.rejects(fsync.open(), /appendfsync always; this server has appendonly yes and appendfsync everysec/);
  await tell(primary.port, 'CONFIG', 'SET', 'appendfsync', 'always');
  const synced = await fsync.open();
  await synced.close();

  while (!String(await tell(primary.port, 'INFO', 'replication')).includes('state=online')) await sleep(50);
  const store = await fresh(primary.url, { durability: 'replicated', replicas: 1 }).open();
  t.teardown(() => store.close());
  const marker: Entry = { type: 'close', poll: 'q', round: 1, atMs: 1 };
  await store.log.append(0, marker);
  t.equal(await tell(replica.port, 'EXISTS', 'x'), 0);
  replica.program.signal('SIGSTOP');
  await t.rejects(store.log.append(0, marker, performance.now() + 1_500), /only 0 of 1 replicas have the write/);
  replica.program.signal('SIGCONT');
  await store.log.append(0, marker);
});

t.test(
  'a store on an unsuitable or unreachable Redis cannot be opened, and the error says what to do',
  async (t: Test) => {
    const server = await redisServer(t.testdir(), ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru']);
    t.teardown(() => server.program.end());
    await t.rejects(fresh(server.url).open(), /set maxmemory-policy noeviction/);
    await tell(server.port, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    const { prefix, open } = fresh(server.url);
    const first = await open();
    await first.close();
    await first.close();
    const other = fresh(server.url, { prefix, partitions: CONTRACT_PARTITIONS + 1 });
    await t.rejects(other.open(), new RegExp(`set POLLCAST_PARTITIONS=${CONTRACT_PARTITIONS}`));
    await t.rejects(fresh('redis://127.0.0.1:1').open(), /does not answer .*is POLLCAST_REDIS_URL correct/);
  },
);

t.test('Redis addresses are parsed, and invalid addresses are refused', async (t: Test) => {
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
