import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from 'mqtt-packet';
import { Api } from '../devices-sim/api.ts';
import { type Percentiles, ScreenLatency } from '../devices-sim/latency.ts';
import { StreamWatch } from '../devices-sim/stream.ts';
import { bars, type Pair, svg } from './chart.ts';
import { Load } from './load.ts';
import { Subject } from './subject.ts';

/** How often both are measured, in turn; the medians are told. */
const ROUNDS = 5;
const CONNECTIONS = 1_000;
/** Votes in flight per connection while saturating. */
const WINDOW = 8;
const WARM_UP_MS = 2_000;
const SATURATE_MS = 6_000;
const PACED_RATE = 2_000;
const PACED_MS = 6_000;
const TOKEN = 'operator-token-of-bench';
const [MQTT_PORT, HTTP_PORT, PEER_PORT] = [21_883, 28_080, 21_884];

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

interface Measured {
  /** Acknowledged votes a second. */
  readonly acknowledged: number;
  /** Counted votes a second, until the last one was counted. */
  readonly counted: number;
  /** How long the count lagged when the load ended, ms. */
  readonly lagMs: number;
  readonly screen: Percentiles;
  readonly memory: number;
}

const ours: Measured[] = [];
const peers: Measured[] = [];
for (let round = 1; round <= ROUNDS; round++) {
  process.stderr.write(`round ${round} of ${ROUNDS} …\n`);
  peers.push(await measurePeer());
  ours.push(await measureOurs());
}
report();

async function measureOurs(): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), 'pollcast-bench-'));
  const flags = [
    '--mqtt-port',
    MQTT_PORT,
    '--http-port',
    HTTP_PORT,
    '--data-dir',
    directory,
    '--operator-token',
    TOKEN,
  ];
  const subject = await Subject.start([path('../cli/pollcast.js'), 'up', '--demo', ...flags.map(String)]);
  const api = new Api(`http://127.0.0.1:${HTTP_PORT}`, TOKEN);
  const load = new Load({ port: MQTT_PORT, connections: CONNECTIONS, topic: 'vote/demo' });
  try {
    await load.connect();
    await load.saturate(WARM_UP_MS, WINDOW);
    const { votes: before } = await counted(api);
    const startMs = performance.now();
    const acknowledged = await load.saturate(SATURATE_MS, WINDOW);
    const endMs = performance.now();
    const { votes: after, atMs } = await counted(api);
    const memory = subject.memory;
    const screen = new ScreenLatency(after);
    const watch = new StreamWatch(api, 'demo', (votes, seenAtMs) => screen.seen(votes, seenAtMs));
    watch.start();
    await load.pace(PACED_RATE, PACED_MS, (sentAtMs) => screen.acknowledged(sentAtMs));
    await new Promise((resolve) => setTimeout(resolve, 500));
    watch.stop();
    const { agrees } = await api.recount('demo');
    if (!agrees) throw new Error('the recount differs: the figures mean nothing');
    return {
      acknowledged: acknowledged / (SATURATE_MS / 1000),
      counted: (after - before) / ((atMs - startMs) / 1000),
      lagMs: Math.max(0, atMs - endMs),
      screen: screen.percentiles,
      memory,
    };
  } finally {
    load.close();
    await subject.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The same load on bare Aedes. Where we count and stream, a subscriber that gets every vote stands in. */
async function measurePeer(): Promise<Measured> {
  const subject = await Subject.start([path('./bare-aedes.child.js'), String(PEER_PORT)]);
  const load = new Load({ port: PEER_PORT, connections: CONNECTIONS, topic: 'vote/demo' });
  try {
    await load.connect();
    await load.saturate(WARM_UP_MS, WINDOW);
    const acknowledged = (await load.saturate(SATURATE_MS, WINDOW)) / (SATURATE_MS / 1000);
    const memory = subject.memory;
    const screen = new ScreenLatency(0);
    const subscriber = await subscribe((votes, atMs) => screen.seen(votes, atMs));
    await load.pace(PACED_RATE, PACED_MS, (sentAtMs) => screen.acknowledged(sentAtMs));
    await new Promise((resolve) => setTimeout(resolve, 500));
    subscriber.destroy();
    return { acknowledged, counted: acknowledged, lagMs: 0, screen: screen.percentiles, memory };
  } finally {
    load.close();
    await subject.stop();
  }
}

async function subscribe(onVotes: (votes: number, atMs: number) => void) {
  const socket = connect(PEER_PORT, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    generate({ cmd: 'connect', clientId: 'viewer', protocolVersion: 4, protocolId: 'MQTT', clean: true, keepalive: 0 }),
  );
  await once(socket, 'data');
  socket.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'vote/demo', qos: 0 }] }));
  await once(socket, 'data');
  const size = generate({ cmd: 'publish', topic: 'vote/demo', payload: 'a', qos: 0, dup: false, retain: false }).length;
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    onVotes(Math.floor(bytes / size), performance.now());
  });
  return socket;
}

/** Waits until the count stands still; with when it last moved. */
async function counted(api: Api): Promise<{ votes: number; atMs: number }> {
  let { votes } = await api.result('demo');
  let atMs = performance.now();
  while (performance.now() - atMs < 300) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = await api.result('demo');
    if (now.votes !== votes) atMs = performance.now();
    votes = now.votes;
  }
  return { votes, atMs };
}

function report(): void {
  const median = (of: (measured: Measured) => number, all: readonly Measured[]) => {
    const sorted = all.map(of).sort((a, b) => a - b);
    return sorted[sorted.length >> 1] as number;
  };
  const pair = (name: string, unit: string, of: (measured: Measured) => number): Pair => ({
    name,
    unit,
    ours: median(of, ours),
    peer: median(of, peers),
  });
  const pairs = [
    pair('Acknowledged votes (ours: on disk before)', 'votes/s', ({ acknowledged }) => acknowledged),
    pair('Counted votes (peer: acknowledged only)', 'votes/s', ({ counted: votes }) => votes),
    pair(`Vote to screen at ${PACED_RATE} votes/s, p50 (peer: to a subscriber)`, 'ms', ({ screen }) => screen.p50),
    pair(`Vote to screen at ${PACED_RATE} votes/s, p99 (peer: to a subscriber)`, 'ms', ({ screen }) => screen.p99),
    pair('Memory after the load', 'MiB', ({ memory }) => memory),
  ];
  // Pair by pair: the machine's speed drifts, and the two of a round were measured next to each other.
  const ratios = ours
    .map((measured, i) => measured.acknowledged / (peers[i] as Measured).acknowledged)
    .sort((a, b) => a - b);
  const lag = Math.max(...ours.map(({ lagMs }) => lagMs));
  console.log(`\n${bars(pairs)}\n`);
  console.log(
    `Acknowledged, ours / bare Aedes, pair by pair: ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')}. The count lagged at most ${lag.toFixed(0)} ms behind the load’s end.`,
  );
  console.log(
    `${CONNECTIONS} connections, ${WINDOW} votes in flight on each; Node ${process.versions.node}, ${cpus().length} cores, load on the same machine.`,
  );
  const picture = path('../../docs/performance.svg');
  writeFileSync(picture, svg(pairs));
  console.log(`Drawn in ${picture}`);
}
