/**
 * `npm run bench:connections`: what idle devices, CONNECT and a reconnect storm cost. Pollcast checks each device’s secret; bare
 * Aedes and mosquitto admit everybody. Memory is resident memory of the operating system, so it includes what the heap has not given
 * back. `BENCH_DEVICES` sets the number of devices, `BENCH_ROUNDS` that of rounds.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFoundation } from '../app/foundation.ts';
import { readConfig } from '../core/config/config.ts';
import { hashSecret } from '../core/devices/secret.ts';
import { createLog } from '../core/runtime/log.ts';
import { bareAedes, type Contender, mosquitto, pollcastWithDevices } from './contenders.ts';
import { compileGenerator, Generator } from './generator/generator.ts';
import { countedAll } from './measuring/measure.ts';

const DEVICES = Number(process.env.BENCH_DEVICES ?? 15_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
/** Devices that keep voting during the storm. They connect before memory is measured, so that what is made once is not counted. */
const VOTERS = 200;
const VOTES_PER_SECOND = 1_000;
/** As long as the storm may take. */
const VOTING_SECONDS = 10;
/** How many connections are being made at a time in the storm. */
const STORMING = 2_000;
/** How long in ms a program may settle before its memory is measured. */
const SETTLE_MS = 5_000;
/** Devices registered at once. */
const TOGETHER = 500;

interface Measured {
  readonly kilobytes: number;
  readonly connects: number;
  readonly cpuMicroseconds: number;
  readonly stormMs: number;
  readonly p99: number;
}

const secret = 'secret-of-all-devices-here';
const directory = mkdtempSync(join(tmpdir(), 'pollcast-devices-'));
compileGenerator();
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
console.log('contender                 kB/idle device  CONNECTs/s  CPU µs/CONNECT  storm ms  p99 ms of votes');
for (const [{ name }, results] of all) {
  const middle = (of: (one: Measured) => number) => median(results.map(of)).toFixed(1);
  const cells = [
    middle(({ kilobytes }) => kilobytes).padStart(14),
    middle(({ connects }) => connects).padStart(11),
    middle(({ cpuMicroseconds }) => cpuMicroseconds).padStart(15),
    middle(({ stormMs }) => stormMs).padStart(9),
    middle(({ p99 }) => p99).padStart(15),
  ];
  console.log(`${name.padEnd(25)} ${cells.join(' ')}`);
}

async function measure(contender: Contender): Promise<Measured> {
  const running = await contender.start();
  const voters = await Generator.connect({ port: running.port, connections: VOTERS, devices: listOf(0, VOTERS) });
  const others = { port: running.port, connections: DEVICES - VOTERS, devices: listOf(VOTERS, DEVICES) };
  let crowd: Generator | undefined;
  try {
    await settle();
    const before = { memory: running.memory, cpuMs: running.cpuMs };
    crowd = await Generator.connect(others);
    const { perSecond: connects } = crowd.connected;
    const cpuMs = running.cpuMs - before.cpuMs;
    await settle();
    const kilobytes = ((running.memory - before.memory) * 1024) / others.connections;
    const voting = voters.pace({ topic: 'vote/demo' }, VOTES_PER_SECOND, VOTING_SECONDS);
    // They lose their connections all together, and come back at once.
    const startMs = performance.now();
    await crowd.stop();
    crowd = await Generator.connect({ ...others, connecting: STORMING });
    const stormMs = performance.now() - startMs;
    const { p99Ms: p99, acknowledged } = await voting;
    const { votes } = await countedAll(running, acknowledged);
    if (votes < acknowledged) throw new Error(`${contender.name} has lost ${acknowledged - votes} votes`);
    return { kilobytes, connects, cpuMicroseconds: (cpuMs * 1_000) / others.connections, stormMs, p99 };
  } finally {
    await crowd?.stop();
    await voters.stop();
    await running.stop();
  }
}

/** A file with some of the devices, for the generator. */
function listOf(from: number, to: number): string {
  const file = join(directory, `devices-${from}`);
  const lines = Array.from(
    { length: to - from },
    (_, i) => `${deviceOf(from + i)}\t${deviceOf(from + i)}\t${secret}\n`,
  );
  writeFileSync(file, lines.join(''));
  return file;
}

function deviceOf(i: number): string {
  return `seat-${i}`;
}

/** Registers all devices, with the same secret under different salts. */
async function register(): Promise<void> {
  const config = readConfig({ dataDir: directory, logLevel: 'silent' }, {});
  const { scope, store } = await openFoundation('broker', config, createLog('silent'), () => {});
  for (let at = 0; at < DEVICES; at += TOGETHER) {
    const some = Array.from({ length: Math.min(TOGETHER, DEVICES - at) }, (_, i) => deviceOf(at + i));
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
