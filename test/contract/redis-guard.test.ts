import { randomUUID } from 'node:crypto';
import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { createLog } from '../../core/runtime/log.ts';
import { START } from '../../core/store/offset.ts';
import { acceptStore, storeState } from '../../core/store/redis/guard/accept.ts';
import type { Loss } from '../../core/store/redis/guard/known.ts';
import { RedisStore, type RedisStoreOptions } from '../../core/store/redis/store.ts';
import type { Condition, Store } from '../../core/store/store.ts';
import type { Entry } from '../../core/voting/count/entry.ts';
import { eventually } from '../support/eventually.ts';
import { type RedisServer, redisCluster, redisServer, tell } from '../support/servers.ts';
import { CONTRACT_PARTITIONS } from './subject.ts';

const log = createLog('silent');
const marker: Entry = { type: 'close', poll: 'q', round: 1, atMs: 1 };

t.setTimeout(300_000);

function placeOn({ url }: { url: string }) {
  return { url, prefix: `test-${randomUUID().slice(0, 8)}`, partitions: CONTRACT_PARTITIONS };
}

async function opened(t: Test, place: ReturnType<typeof placeOn>, more: Partial<RedisStoreOptions> = {}) {
  const store = await RedisStore.open({ ...place, durability: 'append', replicas: 1, ...more }, log);
  t.teardown(() => store.close());
  return store;
}

async function server(t: Test, more: readonly string[] = []): Promise<RedisServer> {
  const redis = await redisServer(t.testdir(), more);
  t.teardown(() => redis.program.end());
  return redis;
}

const soon = (store: Store) => store.log.append(0, marker, performance.now() + 700);
const count = async (store: Store) =>
  (await store.log.read(new Map([[0, START]]), { limit: 1_000, waitMs: 0 })).get(0)?.length ?? 0;
const conditionOf = (store: Store, what: string, isIt: (condition: Condition) => boolean) =>
  eventually(what, async () => (isIt(store.condition()) ? store.condition() : undefined));
const isGone = (condition: Condition) => !condition.ok && condition.isGone === true;
const isOk = ({ ok }: Condition) => ok;

t.test('a presence ends although the clock of Redis was set back', async (t) => {
  const redis = await server(t);
  const place = placeOn(redis);
  const store = await opened(t, place);
  await store.presence.announce('processor', 'dead', {}, 2_500);
  // What the process announced an hour later by the clock before it was set back.
  await tell(redis.port, 'HSET', `${place.prefix}:presence:processor`, 'dead', `${Date.now() + 3_600_000} {}`);
  // Within seconds, not within an hour.
  await eventually('the end of the presence', async () =>
    (await store.presence.list('processor')).length === 0 ? true : undefined,
  );
  t.same(await store.presence.list('processor'), []);
});

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

t.test('a store that has lost a part is not opened, and the error says what to do', async (t) => {
  const redis = await server(t);
  const place = placeOn(redis);
  const first = await opened(t, place);
  await first.close();
  await tell(redis.port, 'DEL', `{${place.prefix}:2}:mark`);
  await t.rejects(opened(t, place), /partition 2.*pollcast store accept/);
  t.match(await storeState(place, log), { gone: ['partition 2'] });
});

t.test(
  'a store that has lost its number of partitions is accepted only with a number that fits what is there',
  async (t) => {
    const redis = await server(t);
    const place = placeOn(redis);
    const store = await opened(t, place);
    await store.log.append(CONTRACT_PARTITIONS - 1, marker);
    await store.close();
    const facts = () => tell(redis.port, 'HGETALL', `${place.prefix}:deployment`);
    const before = await facts();
    const fewer = { ...place, partitions: CONTRACT_PARTITIONS - 1 };
    await t.rejects(
      acceptStore(fewer, log),
      { message: /data of its partition 2.*--partitions/ },
      'although it has a number',
    );
    t.same(await facts(), before);

    await tell(redis.port, 'DEL', `${place.prefix}:deployment`);
    const unknown = { ...place, partitions: undefined };
    await t.rejects(acceptStore(unknown, log), { message: /lost its number of partitions.*--partitions, at least 3/ });
    await t.rejects(acceptStore(fewer, log), { message: /data of its partition 2/ });
    await tell(redis.port, 'DEL', `{${place.prefix}:2}:mark`);
    await t.rejects(acceptStore(fewer, log), { message: /data of its partition 2/ }, 'also if only its log is left');
    t.match(await storeState(unknown, log), {
      partitions: undefined,
      gone: ['number of partitions', 'polls and devices', 'partition 0', 'partition 1', 'partition 2'],
    });
    t.same(await facts(), [], 'nothing was stored');

    await tell(redis.port, 'HSET', `${place.prefix}:deployment`, 'partitions', '2');
    await t.rejects(
      acceptStore(unknown, log),
      { message: /cannot have 2 partitions/ },
      'nor a wrong number that it has',
    );
    await acceptStore(place, log);
    t.match(await storeState(unknown, log), { partitions: CONTRACT_PARTITIONS, gone: [] });
    await opened(t, place);
  },
);

t.test('a store that could not be opened is not watched', async (t) => {
  const redis = await server(t);
  const place = placeOn(redis);
  const messages: string[] = [];
  const listening = pino({ level: 'debug' }, { write: (line: string) => void messages.push(JSON.parse(line).msg) });
  await (await opened(t, place)).close();
  await tell(redis.port, 'SET', `{${place.prefix}:registry}:writes`, 'of another type');
  await t.rejects(RedisStore.open({ ...place, durability: 'append', replicas: 1 }, listening), /WRONGTYPE/);
  messages.length = 0;
  await sleep(1_500);
  t.same(messages, []);
});

t.test('a deployment of an earlier version gets its marks', async (t) => {
  const redis = await server(t);
  const place = placeOn(redis);
  await tell(redis.port, 'HSET', `${place.prefix}:deployment`, 'partitions', String(place.partitions));
  const store = await opened(t, place);
  await store.log.append(0, marker);
  t.ok(store.condition().ok);
});

type Command = [string, ...string[]];
const refusals: readonly (readonly [name: string, fault: Command, repair: Command, reason: RegExp])[] = [
  ['out of memory', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0'], /out of memory/],
  ['read-only', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE'], /read-only/],
  [
    'without enough replicas',
    ['CONFIG', 'SET', 'min-replicas-to-write', '1'],
    ['CONFIG', 'SET', 'min-replicas-to-write', '0'],
    /min-replicas-to-write/,
  ],
];

for (const [name, fault, repair, reason] of refusals) {
  t.test(`a store says that its server is ${name}, before any vote and after one`, async (t) => {
    const redis = await server(t);
    const store = await opened(t, placeOn(redis));
    await tell(redis.port, ...fault);
    t.match(await conditionOf(store, 'the condition', ({ ok }) => !ok), { reason });
    await t.rejects(soon(store), { name: 'StoreError' });
    t.match(store.condition(), { ok: false, reason });
    await t.rejects(store.registry.put('polls', 'x', {}), { message: reason }, 'what the API answers says why');
    await tell(redis.port, ...repair);
    await conditionOf(store, 'the end of it', isOk);
    await store.log.append(0, marker);
  });
}

t.test('a store notices that its server does not sync any more, also after a restart', async (t) => {
  const redis = await server(t, ['--appendfsync', 'always']);
  const store = await opened(t, placeOn(redis), { durability: 'fsync' });
  await tell(redis.port, 'CONFIG', 'SET', 'appendfsync', 'everysec');
  t.match(await conditionOf(store, 'the condition', ({ ok }) => !ok), { reason: /appendfsync always/ });
  await t.rejects(soon(store), { message: /appendfsync always/ });
  await tell(redis.port, 'CONFIG', 'SET', 'appendfsync', 'always');
  await conditionOf(store, 'the end of it', isOk);
  await store.log.append(0, marker);
});

const ALL = ['+@all', '~*', '&*'];
for (const [name, rights, missing] of [
  ['channels', ['+@all', '~*', 'resetchannels'], ['&*']],
  ['patterns of channels', ['+@all', '~*', 'resetchannels', '&test-*'], ['&*']],
  ['keys', ['+@all', '&*', 'resetkeys', '~other:*'], ['~test-']],
  ['the keys with hash tags', ['+@all', '&*', 'resetkeys', '~test-*'], ['~{test-']],
  ['some commands', [...ALL, '-xadd', '-publish', '-psubscribe'], ['+xadd', '+publish', '+psubscribe']],
] as const) {
  t.test(`a user without rights to ${name} is refused at the start, with all that is missing`, async (t) => {
    const redis = await server(t);
    await tell(redis.port, 'ACL', 'SETUSER', 'votes', 'on', '>secret', 'resetchannels', 'resetkeys', ...rights);
    const place = placeOn({ url: `redis://votes:secret@127.0.0.1:${redis.port}` });
    for (const right of missing)
      await t.rejects(opened(t, place), { message: new RegExp(right.replace(/[+{*]/g, '\\$&')) });
  });
}

t.test('the rights in the documentation are enough', async (t) => {
  const redis = await server(t);
  const place = placeOn({ url: `redis://votes:secret@127.0.0.1:${redis.port}` });
  const { prefix } = place;
  const { aclOf } = await import('./acl.ts');
  await tell(redis.port, 'ACL', 'SETUSER', 'votes', '>secret', ...aclOf(prefix));
  const store = await opened(t, place);
  await store.log.append(0, marker);
  await store.registry.put('polls', 'x', {});
  await store.presence.announce('broker', 'a', {}, 1_000);
  await store.presence.list('broker');
  await store.lines.claim('d', 'a');
  await store.trails.add(new Map([['d', []]]));
  t.ok(store.condition().ok);
});

t.test('an entry is stored once although Redis no longer lets its user wake the readers', async (t) => {
  const redis = await server(t);
  await tell(redis.port, 'ACL', 'SETUSER', 'votes', 'on', '>secret', ...ALL);
  const store = await opened(t, placeOn({ url: `redis://votes:secret@127.0.0.1:${redis.port}` }));
  await tell(redis.port, 'ACL', 'SETUSER', 'votes', 'resetchannels');
  await store.log.append(0, marker);
  t.equal(await count(store), 1);
});

t.test('an entry that waits for replicas is stored once', async (t) => {
  const primary = await redisServer(join(t.testdirName, 'primary'));
  const replica = await redisServer(join(t.testdirName, 'replica'), ['--replicaof', '127.0.0.1', String(primary.port)]);
  t.teardown(async () => {
    await primary.program.end();
    await replica.program.end();
  });
  while (!String(await tell(primary.port, 'INFO', 'replication')).includes('state=online')) await sleep(50);
  const store = await opened(t, placeOn(primary), { durability: 'replicated' });
  replica.program.signal('SIGSTOP');
  const appended = store.log.append(0, marker);
  await sleep(2_500);
  replica.program.signal('SIGCONT');
  await appended;
  t.equal(await count(store), 1);
});
