/**
 * `npm run bench:scaling`: measures what a vote costs a Redis server: commands, CPU time, and bytes of log, memory and
 * append-only file. The cost depends on the number of votes per log entry, so it is measured for several such numbers. The
 * figures in docs/SCALING.md come from this benchmark.
 */

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { createLog } from '../core/runtime/log.ts';
import { RedisStore } from '../core/store/redis/store.ts';
import { VoteColumns } from '../core/voting/count/entries/columns.ts';
import { partitionOf } from '../core/voting/count/partition.ts';
import { Counter } from '../processors/counting/counter.ts';
import { processorMetrics } from '../processors/metrics.ts';
import { Subject } from './subject.ts';

const DEVICES = Number(process.env.BENCH_DEVICES ?? 100_000);
const PARTITIONS = 4;
const PORT = 26_380;
const VOTES_PER_ENTRY = [1, 20, 500];
const APPENDS_TOGETHER = 8;

const log = createLog('silent');
const directory = mkdtempSync(join(tmpdir(), 'pollcast-scaling-'));
const args = ['--port', String(PORT), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'yes'];
const server = await Subject.start('redis-server', args, 'Ready to accept');
const redis = new Redis(PORT, '127.0.0.1');
console.log(
  'votes/entry  phase     votes/s  commands/vote  server CPU µs/vote  log bytes/vote  AOF bytes/vote  memory bytes/vote',
);
for (const perEntry of VOTES_PER_ENTRY) await measure(perEntry);
redis.disconnect();
await server.stop();
rmSync(directory, { recursive: true, force: true });

async function measure(perEntry: number): Promise<void> {
  await redis.flushall();
  const prefix = `scaling-${perEntry}`;
  const url = `redis://127.0.0.1:${PORT}`;
  const options = { url, prefix, partitions: PARTITIONS, durability: 'append', replicas: 1 } as const;
  const store = await RedisStore.open(options, log);
  const definition = {
    poll: 'q',
    title: 'Q',
    kind: 'single' as const,
    options: ['a', 'b', 'c'].map((key) => ({ key, label: key })),
    revote: 'last' as const,
    visibility: 'live' as const,
  };
  for (let p = 0; p < PARTITIONS; p++) {
    await store.log.append(p, { type: 'open', poll: 'q', round: 1, atMs: Date.now(), definition });
  }
  await phase(perEntry, 'append', () => appendAll(store, perEntry));
  await phase(perEntry, 'count', () => countAll(store));
  await store.close();
}

/** Runs one phase and prints its cost. */
async function phase(perEntry: number, name: string, work: () => Promise<void>): Promise<void> {
  const before = await facts();
  const startMs = performance.now();
  await work();
  const seconds = (performance.now() - startMs) / 1_000;
  const after = await facts();
  const cost = (fact: keyof typeof before) =>
    ((after[fact] - before[fact]) / DEVICES).toFixed(fact === 'commands' ? 3 : 1);
  const cells = [
    perEntry,
    name,
    Math.round(DEVICES / seconds),
    cost('commands'),
    cost('cpuUs'),
    cost('logBytes'),
    cost('aofBytes'),
    cost('memory'),
  ];
  const widths = [11, 9, 8, 14, 19, 15, 15, 18];
  console.log(cells.map((cell, i) => String(cell)[i === 1 ? 'padEnd' : 'padStart'](widths[i] ?? 0)).join(' '));
}

async function appendAll(store: RedisStore, perEntry: number): Promise<void> {
  const waiting: string[][] = Array.from({ length: PARTITIONS }, () => []);
  const sequences: number[] = new Array(PARTITIONS).fill(0);
  const pending: Promise<unknown>[] = [];
  const append = (partition: number) => {
    const votes = (waiting[partition] ?? []).splice(0).map((device, i) => ({ device, choice: 'abc'[i % 3] ?? 'a' }));
    if (votes.length === 0) return;
    const rounds = [{ poll: 'q', round: 1, votes: VoteColumns.of(votes), rejected: {} }];
    const sequence = (sequences[partition] as number)++;
    const entry = { type: 'votes', producer: 'bench', sequence, atMs: Date.now(), rounds, refused: {} } as const;
    pending.push(store.log.append(partition, entry));
  };
  for (let i = 0; i < DEVICES; i++) {
    const device = `clicker-${i}`;
    const partition = partitionOf(device, PARTITIONS);
    const some = waiting[partition] as string[];
    some.push(device);
    if (some.length >= perEntry) append(partition);
    if (pending.length >= APPENDS_TOGETHER * PARTITIONS) await Promise.all(pending.splice(0));
  }
  for (let p = 0; p < PARTITIONS; p++) append(p);
  await Promise.all(pending);
}

/** Counts until the round is closed, with which its ballots are stored. */
async function countAll(store: RedisStore): Promise<void> {
  for (let p = 0; p < PARTITIONS; p++) {
    await store.log.append(p, { type: 'close', poll: 'q', round: 1, atMs: Date.now() });
  }
  const partitions = Array.from({ length: PARTITIONS }, (_, p) => p);
  const metrics = processorMetrics(new Registry());
  const counter = await Counter.open({ store, partitions: () => partitions, metrics, log });
  for (;;) {
    const slices = await Promise.all(partitions.map((p) => store.counts.slice(p, 'q', 1)));
    const counted = slices.reduce((sum, slice) => sum + (slice?.accounting.counted ?? 0), 0);
    if (counted === DEVICES && slices.every((slice) => slice?.open === false)) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await counter.close();
}

async function facts() {
  const info = await redis.info('everything');
  const fact = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? 0);
  const keys = await redis.keys('*:log');
  const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)));
  const folder = join(directory, 'appendonlydir');
  const files = await readdir(folder);
  return {
    commands: fact('total_commands_processed'),
    cpuUs: (fact('used_cpu_user') + fact('used_cpu_sys')) * 1e6,
    memory: fact('used_memory'),
    logBytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
    aofBytes: files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0),
  };
}
