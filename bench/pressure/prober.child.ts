import { Load } from '../load.ts';

/** The share of the time, at the start, whose votes are not measured. */
const WARM_UP = 0.2;

const [port, topic, connections, rate, seconds] = process.argv.slice(2) as [string, string, string, string, string];
const load = new Load({ port: Number(port), connections: Number(connections), topic, prefix: 'prober' });
await load.connect();
console.log('running');
process.stdin.once('data', async () => {
  const ms = Number(seconds) * 1_000;
  const { acknowledged, latencies } = await load.probe(Number(rate), ms, ms * WARM_UP);
  const sorted = latencies.sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  const lastAtMs = performance.timeOrigin + performance.now();
  console.log(JSON.stringify({ acknowledged, lastAtMs, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) }));
  load.close();
  process.exit(0);
});
