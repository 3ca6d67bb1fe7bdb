/**
 * `npm run bench:pressure`: measures how long acknowledgements take while one process (`pollcast up`, embedded store) does
 * something else that is heavy: shows a pulse, computes a ranking of 100,000 ballots, answers requests, serves slow readers.
 * The votes are sent by a process of their own, at a moderate rate.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ApiClient } from '../client/api.ts';
import { Load } from './load.ts';
import { fill } from './pressure/fill.ts';
import { turnsOf } from './pressure/turns.ts';
import { Subject } from './subject.ts';

const TOKEN = 'operator-token-of-bench';
const [MQTT_PORT, HTTP_PORT] = [21_884, 28_082];
const BALLOTS = Number(process.env.BENCH_BALLOTS ?? 100_000);
const [CONNECTIONS, RATE] = [200, 2_000];
const SECONDS = Number(process.env.BENCH_SECONDS ?? 5);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
/** Set to the words of some cases, separated by commas, to measure only these. */
const ONLY = process.env.BENCH_CASES?.split(',');
const [VOTERS, VIEWERS, READERS, SLOW_READERS] = [1_000, 20, 8, 200];

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

interface Probe {
  readonly acknowledged: number;
  readonly lastAtMs: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Something that the server does besides; `start` resolves with what ends it, which says in a few words how much was done. */
interface Pressure {
  readonly name: string;
  start(): Promise<() => Promise<string>>;
}

const base = `http://127.0.0.1:${HTTP_PORT}`;
const api = new ApiClient({ base, token: TOKEN });

const PRESSURES: readonly Pressure[] = [
  { name: 'quiet', start: async () => async () => '' },
  { name: `${READERS} looping GETs of results, single choice`, start: () => reading(`/api/polls/steady/results`) },
  { name: `${READERS} looping GETs of results, ranking`, start: () => reading(`/api/polls/ranking/results`) },
  { name: `${READERS} looping GETs of a result, single choice`, start: () => reading(`/api/polls/steady/result`) },
  {
    name: `single choice, ${VOTERS} voters on and on, ${VIEWERS} viewers`,
    start: () => pressing((load) => endless(load), 'steady'),
  },
  {
    name: `pulse, ${VOTERS} presses a second, ${VIEWERS} viewers`,
    start: () => pressing((load) => paced(load, VOTERS)),
  },
  { name: `pulse, ${VOTERS} voters on and on, ${VIEWERS} viewers`, start: () => pressing((load) => endless(load)) },
  { name: `ranking of ${BALLOTS} ballots, 200 votes a second, ${VIEWERS} viewers`, start: ranking },
  { name: `${SLOW_READERS} slow readers of all ballots`, start: slowReaders },
];

const directory = mkdtempSync(join(tmpdir(), 'pollcast-pressure-'));
const METER = join(directory, 'turns.jsonl');
process.env.BENCH_TURNS = METER;
await fill(directory, TOKEN, BALLOTS);
const server = await startServer();
const probers = new Set<ChildProcess>();
try {
  const chosen = PRESSURES.filter(({ name }) => !ONLY || ONLY.some((word) => name.includes(word)));
  const rows = new Map<string, string[][]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const pressure of chosen) {
      const cells = await measure(pressure);
      console.error(`${pressure.name}: ${cells.join(' | ')}`);
      rows.set(pressure.name, [...(rows.get(pressure.name) ?? []), cells]);
    }
  }
  console.log(
    `\n${RATE} votes/s from ${CONNECTIONS} connections, ${SECONDS} s each, ${ROUNDS} rounds (all shown); ${cpus().length} cores, Node ${process.versions.node}\n`,
  );
  console.log(
    '| meanwhile | p50, ms | p99, ms | slowest, ms | counted after, ms | turn p50, ms CPU | p99 | longest | server CPU, % | done |',
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const [name, cells] of rows) {
    const columns = (cells[0] ?? []).map((_, i) => cells.map((row) => row[i]).join(', '));
    console.log(`| ${name} | ${columns.join(' | ')} |`);
  }
} finally {
  for (const prober of probers) prober.kill('SIGTERM');
  await server.stop('SIGTERM');
  rmSync(directory, { recursive: true, force: true });
}

async function measure({ start }: Pressure): Promise<string[]> {
  const prober = spawn(
    process.execPath,
    [path('./pressure/prober.child.js'), ...[MQTT_PORT, 'vote/steady', CONNECTIONS, RATE, SECONDS].map(String)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  probers.add(prober);
  const lines = createInterface(prober.stdout)[Symbol.asyncIterator]();
  await lines.next();
  const before = (await api.result('steady')).votes ?? 0;
  const end = await start();
  await pause(500);
  const { cpuMs } = server;
  const startMs = performance.now();
  prober.stdin.write('go\n');
  const { value } = await lines.next();
  const turns = turnsOf(METER, startMs);
  const share = (server.cpuMs - cpuMs) / (performance.now() - startMs);
  const probe: Probe = JSON.parse(value);
  // The pressure goes on while the rest is counted.
  const counted = async () => (await api.result('steady')).votes ?? 0;
  while ((await counted()) < before + probe.acknowledged) await pause(5);
  const lag = performance.timeOrigin + performance.now() - probe.lastAtMs;
  const done = await end();
  probers.delete(prober);
  const ms = (value: number) => value.toFixed(value < 10 ? 1 : 0);
  return [
    ms(probe.p50),
    ms(probe.p99),
    ms(probe.max),
    ms(lag),
    ms(turns.p50),
    ms(turns.p99),
    ms(turns.longest),
    (share * 100).toFixed(0),
    done,
  ];
}

async function reading(target: string): Promise<() => Promise<string>> {
  let isRunning = true;
  let answers = 0;
  const loops = Array.from({ length: READERS }, async () => {
    while (isRunning) {
      await (await fetch(`${base}${target}`, { headers: { ...api.headers } })).arrayBuffer();
      answers++;
    }
  });
  return async () => {
    isRunning = false;
    await Promise.all(loops);
    return `${answers} answers`;
  };
}

async function pressing(
  press: (load: Load) => { end: () => Promise<number> },
  poll = 'pulse',
): Promise<() => Promise<string>> {
  const load = new Load({ port: MQTT_PORT, connections: VOTERS, topic: `vote/${poll}`, prefix: 'voter' });
  await load.connect();
  const viewers = await viewersOf(poll);
  const { end } = press(load);
  return async () => {
    const presses = await end();
    load.close();
    return `${presses} presses, ${viewers.close()} kB to viewers`;
  };
}

function paced(load: Load, rate: number) {
  let isRunning = true;
  let sent = 0;
  const work = (async () => {
    while (isRunning) await load.pace(rate, 500, () => sent++);
  })();
  return {
    end: async () => {
      isRunning = false;
      await work;
      return sent;
    },
  };
}

function endless(load: Load) {
  let isRunning = true;
  let acknowledged = 0;
  const work = (async () => {
    while (isRunning) acknowledged += await load.saturate(500, 1);
  })();
  return {
    end: async () => {
      isRunning = false;
      await work;
      return acknowledged;
    },
  };
}

async function ranking(): Promise<() => Promise<string>> {
  const load = new Load({ port: MQTT_PORT, connections: 50, topic: 'vote/ranking', prefix: 'ranker' });
  await load.connect();
  const viewers = await viewersOf('ranking');
  const { end } = paced(load, 200);
  return async () => {
    const votes = await end();
    load.close();
    return `${votes} votes, ${viewers.close()} kB to viewers`;
  };
}

async function viewersOf(poll: string) {
  let bytes = 0;
  const sockets = await Promise.all(
    Array.from({ length: VIEWERS }, async () => {
      const socket = await request(`/api/polls/${poll}/stream`);
      socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      return socket;
    }),
  );
  return {
    close: () => {
      for (const socket of sockets) socket.destroy();
      return Math.round(bytes / 1_000);
    },
  };
}

/** Clients that ask for all ballots and read almost nothing of the answer. */
async function slowReaders(): Promise<() => Promise<string>> {
  const sockets: Socket[] = [];
  let closed = 0;
  for (let i = 0; i < SLOW_READERS; i++) {
    const socket = await request('/api/polls/ranking/ballots.csv');
    socket.pause();
    socket.on('close', () => closed++);
    sockets.push(socket);
  }
  return async () => {
    const cut = closed;
    for (const socket of sockets) socket.destroy();
    return `${cut} cut, server at ${Math.round(server.memory)} MiB`;
  };
}

async function request(target: string, times = 1): Promise<Socket> {
  const socket = connect(HTTP_PORT, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => socket.destroy());
  socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`.repeat(times));
  return socket;
}

function startServer(): Promise<Subject> {
  const ports = ['--mqtt-port', MQTT_PORT, '--http-port', HTTP_PORT];
  const flags = [...ports, '--operator-token', TOKEN, '--data-dir', directory];
  const node = (process.env.BENCH_NODE_FLAGS ?? '').split(' ').filter((flag) => flag !== '');
  return Subject.start(
    process.execPath,
    [
      ...node,
      '--import',
      path('./pressure/turn-meter.child.js'),
      path('../cli/pollcast.js'),
      'up',
      ...flags.map(String),
    ],
    '"running"',
  );
}
