import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { followPoll } from '../client/stream.ts';
import { type Percentiles, ScreenLatency } from '../devices-sim/latency.ts';
import { type BarChart, chartSvg, chartText } from './chart.ts';
import { bareAedes, type Contender, embedded, embedded5, mosquitto, overRedis, type Running } from './contenders.ts';
import { Load } from './load.ts';
import { subscribe } from './subscriber.ts';

/** How many times each contender is measured. The contenders take turns, and medians are reported. */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const CONNECTIONS = 1_000;
/** Votes in flight per connection while the broker is saturated. */
const WINDOW = 8;
const WARM_UP_MS = 2_000;
const SATURATE_MS = 6_000;
const PACED_RATE = 2_000;
const PACED_MS = 6_000;
/** Maximum time in ms to wait for the count to catch up. */
const COUNT_LIMIT_MS = 30_000;

interface Measured {
  /** Acknowledged votes per second. */
  readonly acknowledged: number;
  /** Counted votes per second, measured until the last vote was counted; NaN if the contender does not count votes. */
  readonly counted: number;
  /** How long (ms) counting continued after the load ended. */
  readonly lagMs: number;
  /** Acknowledged votes that were never counted. */
  readonly missing: number;
  readonly screen: Percentiles;
  readonly memory: number;
}

const contenders = [bareAedes, embedded, embedded5, overRedis, mosquitto].filter(({ name, isInstalled }) => {
  if (!isInstalled) process.stderr.write(`${name}: skipped, its programs are not installed\n`);
  return isInstalled;
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
  const { version = 4 } = contender;
  const load = new Load({ port: running.port, connections: CONNECTIONS, topic: 'vote/demo', version });
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

/** Measures the latency from vote to screen (or to an MQTT subscriber if there are no result streams) at a constant rate. */
async function paced({ port, api }: Running, load: Load, before: number): Promise<Percentiles> {
  const screen = new ScreenLatency(api ? before : 0);
  const seen = (votes: number, atMs: number) => screen.seen(votes, atMs);
  const listener = { onResult: ({ votes }: { votes: number | null }) => seen(votes ?? 0, performance.now()) };
  const stop = api && followPoll('demo', listener, { base: api.base, headers: api.headers });
  const subscriber = api ? undefined : await subscribe(port, seen);
  await load.pace(PACED_RATE, PACED_MS, (sentAtMs) => screen.acknowledged(sentAtMs));
  await new Promise((resolve) => setTimeout(resolve, 500));
  stop?.();
  subscriber?.destroy();
  const recount = await api?.recount('demo');
  if (recount && !recount.agrees) throw new Error('the recount differs, so the measurements are invalid');
  return screen.percentiles;
}

/** Waits until the count stops changing, and longer if it is below `least`. @returns the count and when it last changed */
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
  const charts: BarChart[] = [
    chart(
      'Acknowledged votes (Pollcast acknowledges only stored votes)',
      'votes/s',
      ({ acknowledged }) => acknowledged,
    ),
    chart('Counted votes', 'votes/s', ({ counted }) => counted),
    chart(`Vote to screen or subscriber at ${PACED_RATE} votes/s, p50`, 'ms', ({ screen }) => screen.p50),
    chart(`Vote to screen or subscriber at ${PACED_RATE} votes/s, p99`, 'ms', ({ screen }) => screen.p99),
    chart('Memory of all processes after the load', 'MiB', ({ memory }) => memory),
  ];
  console.log(`\n${chartText(charts)}\n`);
  for (const [contender, measured] of all) {
    // Compared within each round, because the machine’s speed drifts and measurements of one round are close in time.
    const ratios = measured.map(({ acknowledged }, i) => acknowledged / (all.get(bareAedes)?.[i]?.acknowledged ?? 1));
    const lag = Math.max(...measured.map(({ lagMs }) => lagMs));
    const missing = Math.max(...measured.map((one) => one.missing));
    const lines = [
      `acknowledged / bare Aedes, round by round: ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')} (median ${median(ratios).toFixed(2)})`,
      ...(Number.isNaN(measured[0]?.counted) ? [] : [`counting continued for up to ${lag.toFixed(0)} ms`]),
      ...(missing > 0 ? [`up to ${missing} acknowledged votes per round were never counted`] : []),
    ];
    console.log(`${contender.name}: ${lines.join('; ')}.`);
  }
  console.log(
    `\n${CONNECTIONS} connections, ${WINDOW} votes in flight on each; Node ${process.versions.node}, ${cpus().length} cores, load generated on the same machine.`,
  );
  const picture = fileURLToPath(new URL('../../docs/performance.svg', import.meta.url));
  writeFileSync(picture, chartSvg(charts));
  console.log(`Chart written to ${picture}`);
}

function chart(name: string, unit: string, of: (measured: Measured) => number): BarChart {
  const bars = [...all].map(([{ name: who }, measured]) => ({ who, value: median(measured.map(of)) }));
  return { name, unit, bars: bars.filter(({ value }) => !Number.isNaN(value)) };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}
