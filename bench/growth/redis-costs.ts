import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { createLog } from '../../core/runtime/log.ts';
import { RedisStore } from '../../core/store/redis/store.ts';
import { VoteColumns } from '../../core/voting/count/entries/columns.ts';
import { partitionOf } from '../../core/voting/count/partition.ts';
import { Counter } from '../../processors/counting/counter.ts';
import { processorMetrics } from '../../processors/metrics.ts';
import { shown } from '../chart.ts';
import { redisServer } from '../contenders.ts';
import { QUESTION } from '../measuring/question.ts';
import { markdownTable } from '../measuring/tables.ts';
import { temporaryFolder } from '../processes/leaving.ts';
import { freePort } from '../processes/ports.ts';

const PARTITIONS = 4;
const VOTES_PER_ENTRY = [1, 20, 500];
const APPENDS_TOGETHER = 8;

const log = createLog('silent');

/** The Redis that is measured. */
interface Site {
  readonly redis: Redis;
  readonly url: string;
  readonly directory: string;
  readonly devices: number;
}

/**
 * Measures what a vote costs a Redis server: commands, CPU time, and bytes of append-only file and memory. The cost depends on
 * the number of votes per log entry, so it is measured for several such numbers.
 *
 * @param devices how many devices cast one vote each
 * @returns a Markdown table
 */
export async function redisCosts(devices: number): Promise<string> {
  const { path: directory, remove } = temporaryFolder();
  const port = await freePort();
  const server = await redisServer(port, directory);
  const redis = new Redis(port, '127.0.0.1');
  const site = { redis, url: `redis://127.0.0.1:${port}`, directory, devices };
  const rows: string[][] = [];
  for (const perEntry of VOTES_PER_ENTRY) rows.push(...(await measure(site, perEntry)));
  redis.disconnect();
  await server.stop();
  remove();
  const head = ['votes per entry', 'phase', 'votes/s', 'commands per vote', 'server CPU per vote'];
  return markdownTable([...head, 'log', 'append-only file', 'memory'], rows);
}

async function measure(site: Site, perEntry: number): Promise<string[][]> {
  await site.redis.flushall();
  const options = {
    url: site.url,
    prefix: `costs-${perEntry}`,
    partitions: PARTITIONS,
    durability: 'append',
    replicas: 1,
  } as const;
  const store = await RedisStore.open(options, log);
  for (let p = 0; p < PARTITIONS; p++) {
    await store.log.append(p, { type: 'open', poll: 'q', round: 1, atMs: Date.now(), definition: QUESTION });
  }
  const rows = [
    await phase(site, perEntry, 'append', () => appendAll(store, perEntry, site.devices)),
    await phase(site, perEntry, 'count', () => countAll(store, site.devices)),
  ];
  await store.close();
  return rows;
}

/** Runs one phase. @returns its row of the table */
async function phase(site: Site, perEntry: number, name: string, work: () => Promise<void>): Promise<string[]> {
  const before = await facts(site);
  const startMs = performance.now();
  await work();
  const seconds = (performance.now() - startMs) / 1_000;
  const after = await facts(site);
  const cost = (fact: keyof typeof before, unit: string) =>
    `${shown((after[fact] - before[fact]) / site.devices)}${unit}`;
  return [
    String(perEntry),
    name,
    shown(site.devices / seconds),
    cost('commands', ''),
    cost('cpuUs', ' µs'),
    cost('logBytes', ' bytes'),
    cost('aofBytes', ' bytes'),
    cost('memory', ' bytes'),
  ];
}

async function appendAll(store: RedisStore, perEntry: number, devices: number): Promise<void> {
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
  for (let i = 0; i < devices; i++) {
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
async function countAll(store: RedisStore, devices: number): Promise<void> {
  for (let p = 0; p < PARTITIONS; p++) {
    await store.log.append(p, { type: 'close', poll: 'q', round: 1, atMs: Date.now() });
  }
  const partitions = Array.from({ length: PARTITIONS }, (_, p) => p);
  const metrics = processorMetrics(new Registry());
  const counter = await Counter.open({ store, partitions: () => partitions, metrics, log });
  for (;;) {
    const slices = await Promise.all(partitions.map((p) => store.counts.slice(p, 'q', 1)));
    const counted = slices.reduce((sum, slice) => sum + (slice?.accounting.counted ?? 0), 0);
    if (counted === devices && slices.every((slice) => slice?.open === false)) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await counter.close();
}

async function facts({ redis, directory }: Site) {
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
