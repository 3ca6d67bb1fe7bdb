/** Redis answers, but keeps nothing now, or not as it should. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { eventually } from '../../support/eventually.ts';
import { redisServer, tell } from '../../support/servers.ts';
import { conditionOf, count, isOk, marker, opened, placeOn, server, soon } from './place.ts';

t.setTimeout(300_000);

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
