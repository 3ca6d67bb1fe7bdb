import type { ApiClient } from '../../client/api.ts';
import type { Contender, Running } from '../contenders.ts';
import { Generator, type GeneratorOptions, LoadError, type PhaseReport, type Topics } from '../generator/generator.ts';
import { median } from './statistics.ts';
import type { Workload } from './workloads.ts';

/** The maximum time in ms to wait for the count to reach what was acknowledged. */
const COUNT_LIMIT_MS = 60_000;
/** How often the count is read meanwhile. Reading it costs CPU, too. */
const LOOK_EVERY_MS = 10;
/** The count of a subscriber that may lose votes is final if it has not changed for this time in ms. */
const STILL_MS = 2_000;

/** What one run of one contender came to. Votes are those that were acknowledged. */
export interface Measured {
  readonly perSecond: number;
  /** Server CPU per vote in µs: of all processes, until the last vote is counted. */
  readonly serverCpuUs: number;
  /** What a vote cost the load generator, in µs. */
  readonly generatorCpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** How long after the last acknowledgement the count was complete, in ms; NaN if nothing is counted. */
  readonly countMs: number;
  /** Acknowledged votes that were never counted; 0 for a contender that counts nothing. */
  readonly missing: number;
  /** Resident memory of all processes after the load, in MiB. */
  readonly memory: number;
}

export interface MeasureOptions {
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Flags for Pollcast. */
  readonly flags?: readonly string[];
  /** What to do before the load, such as opening polls; resolves with what is voted for, and where. */
  readonly prepare?: (running: Running) => Promise<Votes>;
}

/** What devices vote for, and where. */
export interface Votes {
  readonly topics: Topics;
  readonly payloads?: readonly string[];
}

/**
 * Measures a contender in a process of its own. Afterwards, Pollcast must have counted exactly what it acknowledged, and its
 * recount must agree.
 *
 * @throws Error if it has not
 * @throws LoadError if the server could not carry the load
 */
export async function measure(contender: Contender, workload: Workload, options: MeasureOptions): Promise<Measured> {
  const running = await contender.start(options.flags);
  let generator: Generator | undefined;
  try {
    const { topics, payloads } = (await options.prepare?.(running)) ?? { topics: { topic: 'vote/demo' } };
    const { connections, qos } = workload;
    const given: GeneratorOptions = { port: running.port, connections, version: contender.version, qos };
    generator = await Generator.connect(payloads ? { ...given, payloads } : given);
    const send = await sender(generator, workload, topics, running);
    const before = await send.warmUp(options.warmUpSeconds);
    await countedAll(running, before);
    const cpuBeforeMs = running.cpuMs;
    const phases = await send.measured(options.seconds);
    const endMs = performance.now();
    const acknowledged = phases.reduce((sum, phase) => sum + phase.acknowledged, 0);
    const { votes, atMs } = await countedAll(running, before + acknowledged);
    const cpuMs = running.cpuMs - cpuBeforeMs;
    const memory = running.memory;
    const missing = Number.isNaN(votes) ? 0 : before + acknowledged - votes;
    if (running.api) await verify(running.api, contender.name, missing);
    return {
      ...summary(phases),
      serverCpuUs: (cpuMs * 1_000) / acknowledged,
      countMs: Number.isNaN(votes) ? Number.NaN : Math.max(0, atMs - endMs),
      missing,
      memory,
    };
  } catch (error) {
    if (error instanceof LoadError) error.message += `; the last output of the server:\n${running.output}`;
    throw error;
  } finally {
    await generator?.stop();
    await running.stop();
  }
}

/** What stands for a run that could not be measured. */
const NOTHING: Measured = {
  perSecond: Number.NaN,
  serverCpuUs: Number.NaN,
  generatorCpuUs: Number.NaN,
  p50Ms: Number.NaN,
  p99Ms: Number.NaN,
  countMs: Number.NaN,
  missing: 0,
  memory: Number.NaN,
};

/**
 * Runs a measurement. A server that cannot carry its load is reported, and the benchmark exits with 1 in the end, but goes on.
 *
 * @returns NaN for every figure, if it could not be measured
 */
export async function measuredOrReported(run: () => Promise<Measured>): Promise<Measured> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    process.stderr.write(`not measured: ${error.message}\n`);
    process.exitCode = 1;
    return NOTHING;
  }
}

/** Opens polls with options a, b and c. @returns the topics that devices vote on */
export async function openPolls(
  api: ApiClient,
  count: number,
  keys: readonly string[] = ['a', 'b', 'c'],
): Promise<Topics> {
  const options = keys.map((key) => ({ key, label: key }));
  for (let i = 0; i < count; i++) {
    await api.createPoll({ poll: `bench${i}`, title: `Bench ${i}`, room: `bench${i}`, visibility: 'live', options });
    await api.step(`bench${i}`, 'open');
  }
  return { topic: 'vote/bench', count };
}

/** How a workload is warmed up and measured. */
interface Sender {
  /** @returns how many votes were acknowledged */
  warmUp(seconds: number): Promise<number>;
  measured(seconds: number): Promise<readonly PhaseReport[]>;
}

async function sender(generator: Generator, { load }: Workload, topics: Topics, running: Running): Promise<Sender> {
  if ('window' in load) {
    const phase = (seconds: number) => generator.saturate(topics, load.window, seconds);
    return { warmUp: async (seconds) => (await phase(seconds)).acknowledged, measured: async (s) => [await phase(s)] };
  }
  if ('rate' in load) {
    const phase = (seconds: number) => generator.pace(topics, load.rate, seconds);
    return { warmUp: async (seconds) => (await phase(seconds)).acknowledged, measured: async (s) => [await phase(s)] };
  }
  // Each vote is the device’s first in its poll, so that each is a new ballot.
  if (running.api) await openPolls(running.api, load.polls);
  return {
    warmUp: async () => (await generator.once(topics)).acknowledged,
    async measured() {
      const phases: PhaseReport[] = [];
      for (let i = 0; i < load.polls; i++) phases.push(await generator.once({ topic: `vote/bench${i}` }));
      return phases;
    },
  };
}

/** Waits until all acknowledged votes are counted. @returns the count, and when it was first read */
export async function countedAll(running: Running, acknowledged: number): Promise<{ votes: number; atMs: number }> {
  const endMs = performance.now() + COUNT_LIMIT_MS;
  let votes = await running.counted();
  let atMs = performance.now();
  while (votes < acknowledged && performance.now() < endMs) {
    if (!running.api && performance.now() - atMs > STILL_MS) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    const now = await running.counted();
    if (now > votes) atMs = performance.now();
    votes = now;
  }
  return { votes, atMs };
}

/** Checks that a Pollcast has counted exactly what it acknowledged. */
async function verify(api: ApiClient, name: string, missing: number): Promise<void> {
  if (missing > 0) throw new Error(`${name} has lost ${missing} votes that it acknowledged`);
  if (missing < 0) throw new Error(`${name} has counted ${-missing} votes more than it acknowledged`);
  for (const { poll, openedAt } of await api.polls()) {
    if (openedAt === null) continue;
    const { agrees, isBalanced, differences } = await api.recount(poll);
    if (!agrees || !isBalanced) throw new Error(`${name}: the recount of ${poll} differs: ${differences.join('; ')}`);
  }
}

/** Several phases of the same length as one. */
function summary(phases: readonly PhaseReport[]) {
  const seconds = phases.reduce((sum, { acknowledged, perSecond }) => sum + acknowledged / perSecond, 0);
  const acknowledged = phases.reduce((sum, phase) => sum + phase.acknowledged, 0);
  const middle = (of: (phase: PhaseReport) => number) => median(phases.map(of));
  return {
    perSecond: phases.length === 1 ? middle(({ perSecond }) => perSecond) : acknowledged / seconds,
    generatorCpuUs: middle(({ cpuUs }) => cpuUs),
    p50Ms: middle(({ p50Ms }) => p50Ms),
    p99Ms: middle(({ p99Ms }) => p99Ms),
  };
}
