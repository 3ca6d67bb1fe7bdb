/**
 * `npm run bench:connections`: what idle devices, CONNECT and a reconnect storm cost. Pollcast checks each device’s secret; bare
 * Aedes and mosquitto admit everybody. Every contender is measured in its own process by the same generator in this one, which is
 * bare sockets and prebuilt packets. Memory is resident memory of the operating system, so it includes what the heap has not given
 * back. `BENCH_DEVICES` sets the number of devices, `BENCH_ROUNDS` that of rounds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFoundation } from '../app/foundation.ts';
import { readConfig } from '../core/config/config.ts';
import { hashSecret } from '../core/devices/secret.ts';
import { createLog } from '../core/runtime/log.ts';
import { bareAedes, type Contender, mosquitto, pollcastWithDevices, type Running } from './contenders.ts';
import { Crowd } from './crowd/crowd.ts';

const DEVICES = Number(process.env.BENCH_DEVICES ?? 15_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
/** Devices that keep voting during the storm. */
const VOTERS = 200;
/** Devices that connect before memory is first measured, so that what is made once is not counted. */
const WARM_UP = 500;
/** How long in ms a program may settle before its memory is measured. */
const SETTLE_MS = 5_000;
/** Devices registered at once. */
const TOGETHER = 500;

interface Measured {
  readonly kilobytes: number;
  readonly connects: number;
  readonly cpuMicroseconds: number;
  readonly stormMs: number;
  readonly votes: number;
  readonly p99: number;
}

const secret = 'secret-of-all-devices-here';
const directory = mkdtempSync(join(tmpdir(), 'pollcast-devices-'));
await register();
const contenders: readonly Contender[] = [pollcastWithDevices(directory), bareAedes, mosquitto].filter(
  ({ isInstalled }) => isInstalled,
);
const all = new Map<Contender, Measured[]>(contenders.map((contender) => [contender, []]));
for (let round = 1; round <= ROUNDS; round++) {
  for (const contender of contenders) {
    process.stderr.write(`round ${round} of ${ROUNDS}: ${contender.name} …\n`);
    all.get(contender)?.push(await measure(contender));
  }
}
rmSync(directory, { recursive: true, force: true });
console.log(`${DEVICES} devices, medians of ${ROUNDS}`);
console.log(
  'contender                 kB/idle device  CONNECTs/s  CPU µs/CONNECT  storm ms  votes/s in storm  their p99 ms',
);
for (const [{ name }, results] of all) {
  const middle = (of: (one: Measured) => number) => median(results.map(of)).toFixed(1);
  const cells = [
    middle(({ kilobytes }) => kilobytes).padStart(14),
    middle(({ connects }) => connects).padStart(11),
    middle(({ cpuMicroseconds }) => cpuMicroseconds).padStart(15),
    middle(({ stormMs }) => stormMs).padStart(9),
    middle(({ votes }) => votes).padStart(17),
    middle(({ p99 }) => p99).padStart(13),
  ];
  console.log(`${name.padEnd(25)} ${cells.join(' ')}`);
}

async function measure(contender: Contender): Promise<Measured> {
  const running = await contender.start();
  const crowd = new Crowd({ port: running.port, secret, topic: 'vote/demo' });
  try {
    await crowd.connect(0, WARM_UP);
    await settle();
    const before = { memory: running.memory, cpuMs: running.cpuMs };
    const startMs = performance.now();
    await crowd.connect(WARM_UP, DEVICES);
    const tookMs = performance.now() - startMs;
    const cpuMs = running.cpuMs - before.cpuMs;
    await settle();
    const kilobytes = ((running.memory - before.memory) * 1024) / (DEVICES - WARM_UP);
    const storm = await storming(crowd, running);
    return {
      kilobytes,
      connects: ((DEVICES - WARM_UP) / tookMs) * 1_000,
      cpuMicroseconds: (cpuMs * 1_000) / (DEVICES - WARM_UP),
      ...storm,
    };
  } finally {
    crowd.close();
    await running.stop();
  }
}

/** All devices but the voters lose their connections and come back at once, while the voters go on. */
async function storming(crowd: Crowd, running: Running): Promise<Pick<Measured, 'stormMs' | 'votes' | 'p99'>> {
  const voting = crowd.vote(0, VOTERS);
  crowd.drop(VOTERS, DEVICES);
  const startMs = performance.now();
  await crowd.connect(VOTERS, DEVICES);
  const stormMs = performance.now() - startMs;
  const latencies = (await voting.stop()).sort((a, b) => a - b);
  const counted = await running.counted();
  if (counted < latencies.length) process.stderr.write(`${latencies.length - counted} votes are not counted yet\n`);
  return {
    stormMs,
    votes: (latencies.length / stormMs) * 1_000,
    p99: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
  };
}

/** Registers all devices, with the same secret under different salts. */
async function register(): Promise<void> {
  const config = readConfig({ dataDir: directory, logLevel: 'silent' }, {});
  const { scope, store } = await openFoundation('broker', config, createLog('silent'), () => {});
  for (let at = 0; at < DEVICES; at += TOGETHER) {
    const some = Array.from({ length: Math.min(TOGETHER, DEVICES - at) }, (_, i) => Crowd.device(at + i));
    await Promise.all(
      some.map((device) =>
        store.registry.put('devices', device, { device, ...hashSecret(secret), createdAtMs: Date.now() }),
      ),
    );
  }
  await scope.close();
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
