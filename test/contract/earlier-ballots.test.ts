/** Ballots that an earlier version stored one by one are counted on with, and move to pages. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { open } from 'lmdb';
import { Registry } from 'prom-client';
import t, { type Test } from 'tap';
import { createLog } from '../../core/runtime/log.ts';
import { EmbeddedStore } from '../../core/store/embedded/store.ts';
import type { Offset } from '../../core/store/offset.ts';
import { RedisKeys } from '../../core/store/redis/connection/keys.ts';
import { RedisStore } from '../../core/store/redis/store.ts';
import type { Store } from '../../core/store/store.ts';
import { VoteColumns } from '../../core/voting/count/entries/columns.ts';
import type { Entry } from '../../core/voting/count/entry.ts';
import { bucketOf } from '../../core/voting/count/partition.ts';
import type { Vote } from '../../core/voting/count/vote.ts';
import { Counter } from '../../processors/counting/counter.ts';
import { processorMetrics } from '../../processors/metrics.ts';
import { eventually } from '../support/eventually.ts';
import { redisServer } from '../support/servers.ts';
import { marker } from './samples.ts';

const log = createLog('silent');
const accounting = { received: 2, counted: 2, replaced: 0, redelivered: 0, rejected: {} };
const slice = { revote: 'last', open: true, accounting, atMs: 2 };
/** As the earlier version stored them: choice, time, number, connection. */
const ROWS = { d1: ['a', 2, 1], d2: ['b', 2, null, 7] };

const entry = (sequence: number, votes: readonly Vote[]): Entry => ({
  type: 'votes',
  ...{ producer: 'run', sequence, atMs: 2 + sequence },
  rounds: [{ poll: 'q', round: 1, votes: VoteColumns.of(votes), rejected: {} }],
  refused: {},
});
const counted = entry(0, [
  { device: 'd1', choice: 'a', n: 1 },
  { device: 'd2', choice: 'b', connection: 7 },
]);
const later = entry(1, [
  { device: 'd1', choice: 'a', n: 1 },
  { device: 'd1', choice: 'b', n: 2 },
  { device: 'd2', choice: 'a', connection: 6 },
  { device: 'd3', choice: 'c' },
]);

/** Appends what an earlier version has counted. @returns the offset up to which it did */
async function fill(store: Store): Promise<Offset> {
  await store.log.append(0, marker('q'));
  return store.log.append(0, counted);
}

async function ballotsOf(store: Store): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const [voter, { choice }] of store.ballots.all(0, 'q', 1)) found[voter] = choice;
  return found;
}

async function countsOn(t: Test, store: Store): Promise<void> {
  t.same(await ballotsOf(store), { d1: 'a', d2: 'b' }, 'they are read before they are stored anew');
  t.match(await store.ballots.of(0, 'q', 1, ['d2', 'd3']), [{ choice: 'b', connection: 7 }, undefined]);
  const last = await store.log.append(0, later);
  const metrics = processorMetrics(new Registry());
  const counter = await Counter.open({ store, partitions: () => [0], metrics, log });
  const isCounted = async () => ((await store.counts.position(0)).offset === last ? true : undefined);
  await eventually('the count', isCounted).finally(() => counter.close());
  t.match((await store.counts.slice(0, 'q', 1))?.accounting, { received: 6, counted: 3, replaced: 1, redelivered: 2 });
  t.same(await ballotsOf(store), { d1: 'b', d2: 'b', d3: 'c' });
  t.match(await store.counts.stored(0, 'q', 1), { checkpoint: last, count: 1, rows: [] }, 'they are in pages now');
}

t.test('embedded: ballots of an earlier version', async (t) => {
  const directory = t.testdir();
  const first = await EmbeddedStore.open({ directory, partitions: 1 });
  const offset = await fill(first);
  await first.close();
  const path = join(directory, 'state.lmdb');
  const state = open({ path, noSubdir: true, overlappingSync: false, maxDbs: 16 });
  const table = (name: string) => state.openDB({ name, encoding: 'json' });
  await table('positions').put(0, { offset, refused: {} });
  await table('producers').put('0/run', { sequence: 0, heard: [2, 0] });
  await table('slices').put('0/q/1', slice);
  await table('weights').put('0/q/1/a', 1);
  await table('weights').put('0/q/1/b', 1);
  for (const [voter, row] of Object.entries(ROWS)) await table('ballots').put(`0/q/1/${voter}`, row);
  await state.close();
  const store = await EmbeddedStore.open({ directory, partitions: 1 });
  await countsOn(t, store);
  await store.close();
  const after = open({ path, noSubdir: true, maxDbs: 16 });
  t.equal(after.openDB({ name: 'ballots', encoding: 'json' }).getKeysCount(), 0, 'none is stored twice');
  t.match(after.openDB({ name: 'positions', encoding: 'json' }).get(0), { offset: 'in-pages' });
  await after.close();
});

t.test('Redis: ballots of an earlier version, which cannot count on top of pages', async (t) => {
  const server = await redisServer(t.testdir());
  t.teardown(() => server.program.end());
  const prefix = `test-${randomUUID().slice(0, 8)}`;
  const store = await RedisStore.open({ ...server, prefix, partitions: 1, durability: 'append', replicas: 1 }, log);
  const redis = new Redis(server.port, '127.0.0.1');
  t.teardown(async () => {
    redis.disconnect();
    await store.close();
  });
  const keys = new RedisKeys(prefix);
  const offset = await fill(store);
  await redis.hset(keys.position(0), { offset, refused: '{}', entries: 2, changed: offset });
  await redis.hset(keys.producers(0), 'run', `0 ${offset} 0`);
  await redis.hset(keys.slice(0, 'q', 1), { meta: JSON.stringify(slice), '=a': 1, '=b': 1 });
  const rows = keys.rows(0, 'q', 1, 256);
  for (const [voter, row] of Object.entries(ROWS)) {
    await redis.hset(rows[bucketOf(voter, 256)] as string, voter, JSON.stringify(row));
  }
  await countsOn(t, store);
  t.equal(await redis.exists(...rows), 0, 'none is stored twice');
  // How the earlier version finds out where to read on, and whether its commit is the next one.
  const found = (await redis.hget(keys.position(0), 'offset')) as string;
  await t.rejects(redis.xrange(keys.log(0), `(${found}`, '+'), /Invalid stream ID/);
  const { offset: last } = await store.counts.position(0);
  for (const expected of [offset, last]) t.not(expected, found, 'what it holds in memory is not the next one');
});
