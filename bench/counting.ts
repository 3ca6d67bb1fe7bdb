/**
 * `npm run bench:counting`: measures how fast one processor counts, from the log to the committed tally: votes a second, and the
 * CPU time of this process and of Redis per vote. The log is filled before. The figures in docs/PERFORMANCE.md come from here.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { createLog } from '../core/runtime/log.ts';
import { EmbeddedStore } from '../core/store/embedded/store.ts';
import { RedisStore } from '../core/store/redis/store.ts';
import type { Store } from '../core/store/store.ts';
import { VoteColumns } from '../core/voting/count/entries/columns.ts';
import { partitionOf } from '../core/voting/count/partition.ts';
import type { Vote } from '../core/voting/count/vote.ts';
import { Counter } from '../processors/counting/counter.ts';
import { processorMetrics } from '../processors/metrics.ts';
import { QUESTION } from './measuring/question.ts';
import { Subject } from './subject.ts';

const VOTES = Number(process.env.BENCH_VOTES ?? 600_000);
const PER_ENTRY = Number(process.env.BENCH_PER_ENTRY ?? 500);
const PARTITIONS = 4;
const PORT = 26_381;
const APPENDS_TOGETHER = 64;
/** Clock ticks a second in /proc/<pid>/stat. */
const TICKS = 100;

const log = createLog('silent');
const cases = [
  { name: 'one vote from each device', devices: VOTES },
  { name: '10 votes from each device', devices: VOTES / 10 },
  { name: '100 votes from each device', devices: VOTES / 100 },
] as const;
const only = process.env.BENCH_STORE;

console.log('store     votes                          votes/s   µs CPU a vote   of Redis   take-over ms');
for (const { name, devices } of cases) {
  if (only !== 'redis') await onDisk(name, devices);
  if (only !== 'embedded') await onRedis(name, devices);
}

async function onDisk(name: string, devices: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'pollcast-counting-'));
  const open = () => EmbeddedStore.open({ directory, partitions: PARTITIONS });
  await measure('embedded', name, devices, open, () => 0);
  rmSync(directory, { recursive: true, force: true });
}

async function onRedis(name: string, devices: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'pollcast-counting-'));
  const args = ['--port', String(PORT), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'yes'];
  const server = await Subject.start('redis-server', args, 'Ready to accept');
  const url = `redis://127.0.0.1:${PORT}`;
  const options = { url, prefix: 'counting', partitions: PARTITIONS, durability: 'append', replicas: 1 } as const;
  await measure(
    'redis',
    name,
    devices,
    () => RedisStore.open(options, log),
    () => cpuOf(server.pid),
  );
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function measure(
  kind: string,
  name: string,
  devices: number,
  open: () => Promise<Store>,
  serverUs: () => number,
): Promise<void> {
  const store = await open();
  await fill(store, devices);
  const [cpu, server, startMs] = [process.cpuUsage(), serverUs(), performance.now()];
  const counter = await count(store, VOTES);
  const seconds = (performance.now() - startMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const servers = serverUs() - server;
  await counter.close();
  // Another counter takes over, and counts one more vote in each partition.
  await fill(store, PARTITIONS * 8, PARTITIONS * 8, 'late');
  const takeOverMs = performance.now();
  const other = await count(store, VOTES + PARTITIONS * 8);
  const tookMs = performance.now() - takeOverMs;
  await other.close();
  await store.close();
  const cells = [
    kind.padEnd(9),
    name.padEnd(28),
    String(Math.round(VOTES / seconds)).padStart(9),
    ((user + system) / VOTES).toFixed(2).padStart(15),
    (servers / VOTES).toFixed(2).padStart(10),
    Math.round(tookMs).toString().padStart(14),
  ];
  console.log(cells.join(' '));
}

/** Appends votes from each device in turn, as brokers log them: each connection sends packets that count up. */
async function fill(store: Store, devices: number, votes = VOTES, producer = 'bench'): Promise<void> {
  if (producer === 'bench')
    for (let p = 0; p < PARTITIONS; p++)
      await store.log.append(p, { type: 'open', poll: 'q', round: 1, atMs: Date.now(), definition: QUESTION });
  const waiting: Vote[][] = Array.from({ length: PARTITIONS }, () => []);
  const sequences: number[] = new Array(PARTITIONS).fill(0);
  let pending: Promise<unknown>[] = [];
  const append = (partition: number) => {
    const some = (waiting[partition] as Vote[]).splice(0);
    if (some.length === 0) return;
    const rounds = [{ poll: 'q', round: 1, votes: VoteColumns.of(some), rejected: {} }];
    const sequence = (sequences[partition] as number)++;
    const entry = { type: 'votes', producer, sequence, atMs: Date.now(), rounds, refused: {} } as const;
    pending.push(store.log.append(partition, entry));
  };
  for (let i = 0; i < votes; i++) {
    const number = i % devices;
    const device = `clicker-${number}`;
    const turn = Math.floor(i / devices);
    const partition = partitionOf(device, PARTITIONS);
    const some = waiting[partition] as Vote[];
    const packet = ((turn % 65_535) + 1) * 2 ** 32 + ((number * 2_654_435_761) >>> 0);
    some.push({ device, choice: 'abc'[(i + turn) % 3] ?? 'a', connection: 1_000_000 + number, packet });
    if (some.length >= PER_ENTRY) append(partition);
    if (pending.length >= APPENDS_TOGETHER) {
      await Promise.all(pending);
      pending = [];
    }
  }
  for (let p = 0; p < PARTITIONS; p++) append(p);
  await Promise.all(pending);
}

/** Counts until `votes` votes are committed. */
async function count(store: Store, votes: number): Promise<Counter> {
  const partitions = Array.from({ length: PARTITIONS }, (_, p) => p);
  const counter = await Counter.open({
    store,
    partitions: () => partitions,
    metrics: processorMetrics(new Registry()),
    log,
  });
  for (;;) {
    const slices = await Promise.all(partitions.map((p) => store.counts.slice(p, 'q', 1)));
    if (slices.reduce((sum, slice) => sum + (slice?.accounting.received ?? 0), 0) === votes) return counter;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The CPU time that a process has used, in µs. */
function cpuOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / TICKS) * 1e6;
}
