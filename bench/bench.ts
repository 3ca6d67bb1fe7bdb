import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Percentiles, ScreenLatency } from '../devices-sim/latency.ts';
import { StreamWatch } from '../devices-sim/stream.ts';
import { type Chart, svg, text } from './chart.ts';
import { bareAedes, type Contender, embedded, mosquitto, overRedis, type Running } from './contenders.ts';
import { Load } from './load.ts';
import { subscribe } from './subscriber.ts';

/** How often all are measured, in turn; the medians are told. */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const CONNECTIONS = 1_000;
/** Votes in flight per connection while saturating. */
const WINDOW = 8;
const WARM_UP_MS = 2_000;
const SATURATE_MS = 6_000;
const PACED_RATE = 2_000;
const PACED_MS = 6_000;
/** A count that has not caught up by then never will, ms. */
const COUNT_LIMIT_MS = 30_000;

interface Measured {
  /** Acknowledged votes a second. */
  readonly acknowledged: number;
  /** Counted votes a second, until the last one was counted; NaN where nothing counts. */
  readonly counted: number;
  /** How long the count went on after the load had ended, ms. */
  readonly lagMs: number;
  /** Acknowledged votes that were never counted. */
  readonly missing: number;
  readonly screen: Percentiles;
  readonly memory: number;
}

const contenders = [bareAedes, embedded, overRedis, mosquitto].filter(({ name, isHere }) => {
  if (!isHere) process.stderr.write(`${name}: left out, its programs are not here\n`);
  return isHere;
});
const all = new Map<Contender, Measured[]>(contenders.map((contender) => [contender, []]));
for (let round = 1; round <= ROUNDS; round++) {
  for (const contender of contenders) {
    process.stderr.write(`round ${round} of ${ROUNDS}: ${contender.name} …\n`);
    all.get(contender)?.push(await measure(contender));
  }
}
report();

async function measure(contender: Contender): Promise<Measured> {
  const running = await contender.start();
  const load = new Load({ port: running.port, connections: CONNECTIONS, topic: 'vote/demo' });
  try {
    await load.connect();
    await load.saturate(WARM_UP_MS, WINDOW);
    const { votes: before } = await settled(running);
    const startMs = performance.now();
    const acknowledged = await load.saturate(SATURATE_MS, WINDOW);
    const endMs = performance.now();
    const { votes: after, atMs } = await settled(running, before + acknowledged);
    const memory = running.memory;
    const screen = await paced(running, load, after);
    return {
      acknowledged: acknowledged / (SATURATE_MS / 1000),
      counted: (after - before) / ((atMs - startMs) / 1000),
      lagMs: Math.max(0, atMs - endMs),
      missing: Math.max(0, acknowledged - (after - before)),
      screen,
      memory,
    };
  } finally {
    load.close();
    await running.stop();
  }
}

/** From vote to screen at an even pace; where nothing is streamed, a subscriber that gets every vote stands in. */
async function paced({ port, api }: Running, load: Load, before: number): Promise<Percentiles> {
  const screen = new ScreenLatency(api ? before : 0);
  const seen = (votes: number, atMs: number) => screen.seen(votes, atMs);
  const watch = api ? new StreamWatch(api, 'demo', seen) : undefined;
  const subscriber = api ? undefined : await subscribe(port, seen);
  watch?.start();
  await load.pace(PACED_RATE, PACED_MS, (sentAtMs) => screen.acknowledged(sentAtMs));
  await new Promise((resolve) => setTimeout(resolve, 500));
  watch?.stop();
  subscriber?.destroy();
  const recount = await api?.recount('demo');
  if (recount && !recount.agrees) throw new Error('the recount differs: the figures mean nothing');
  return screen.percentiles;
}

/** Waits until the count stands still, and has `least` votes if it ever will; with when it last moved. */
async function settled(running: Running, least = 0): Promise<{ votes: number; atMs: number }> {
  const endMs = performance.now() + COUNT_LIMIT_MS;
  let votes = await running.counted();
  let atMs = performance.now();
  while (performance.now() - atMs < 400 || (votes < least && performance.now() - atMs < 3_000)) {
    if (performance.now() > endMs) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = await running.counted();
    if (now > votes) atMs = performance.now();
    votes = now;
  }
  return { votes, atMs };
}

function report(): void {
  const charts: Chart[] = [
    chart('Acknowledged votes (Pollcast: stored before)', 'votes/s', ({ acknowledged }) => acknowledged),
    chart('Counted votes', 'votes/s', ({ counted }) => counted),
    chart(`Vote to screen or subscriber at ${PACED_RATE} votes/s, p50`, 'ms', ({ screen }) => screen.p50),
    chart(`Vote to screen or subscriber at ${PACED_RATE} votes/s, p99`, 'ms', ({ screen }) => screen.p99),
    chart('Memory of all processes after the load', 'MiB', ({ memory }) => memory),
  ];
  console.log(`\n${text(charts)}\n`);
  for (const [contender, measured] of all) {
    // Pair by pair: the machine's speed drifts, and the two of a round were measured next to each other.
    const ratios = measured.map(({ acknowledged }, i) => acknowledged / (all.get(bareAedes)?.[i]?.acknowledged ?? 1));
    const lag = Math.max(...measured.map(({ lagMs }) => lagMs));
    const missing = Math.max(...measured.map((one) => one.missing));
    const lines = [
      `acknowledged / bare Aedes, round by round: ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')} (median ${median(ratios).toFixed(2)})`,
      ...(Number.isNaN(measured[0]?.counted) ? [] : [`the count went on for ${lag.toFixed(0)} ms at most`]),
      ...(missing > 0 ? [`${missing} acknowledged votes were never counted`] : []),
    ];
    console.log(`${contender.name}: ${lines.join('; ')}.`);
  }
  console.log(
    `\n${CONNECTIONS} connections, ${WINDOW} votes in flight on each; Node ${process.versions.node}, ${cpus().length} cores, load on the same machine.`,
  );
  const picture = fileURLToPath(new URL('../../docs/performance.svg', import.meta.url));
  writeFileSync(picture, svg(charts));
  console.log(`Drawn in ${picture}`);
}

function chart(name: string, unit: string, of: (measured: Measured) => number): Chart {
  const bars = [...all].map(([{ name: who }, measured]) => ({ who, value: median(measured.map(of)) }));
  return { name, unit, bars: bars.filter(({ value }) => !Number.isNaN(value)) };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}
