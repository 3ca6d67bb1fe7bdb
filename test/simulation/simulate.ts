import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { commandFor, type Limits, planOf } from './plan.ts';
import { type Outcome, run } from './run.ts';
import { shrink } from './shrink.ts';
import { type Figures, Summary } from './summary.ts';
import { realNowMs } from './world/globals.ts';

const HELP = `npm run simulate -- [options]
  --seed N        run one seed, with less than it says if the next three are given
  --devices N     with at most this many devices
  --minutes N     for at most this many minutes
  --faults 1,5    only with these faults; “none” for none
  --trace         print everything that happens
  --hours N       run seeds until this many hours have been simulated (default 1); each for at most --minutes
  --from N        the first of these seeds (default: a random one)
  --workers N     in this many processes (default: one per processor core)`;

/** Seeds below this are drawn if none is given. */
const MAX_SEED = 1_000_000_000;
/** How often progress is reported. */
const REPORTS = 20;

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string' },
    devices: { type: 'string' },
    minutes: { type: 'string' },
    faults: { type: 'string' },
    trace: { type: 'boolean' },
    hours: { type: 'string' },
    from: { type: 'string' },
    workers: { type: 'string' },
    /** For workers: the distance between two seeds. */
    step: { type: 'string' },
    help: { type: 'boolean' },
  },
});

/** What a worker reports about each seed. */
interface News extends Omit<Figures, 'faults' | 'checks'> {
  readonly seed: number;
  readonly isFailure: boolean;
  readonly faults: readonly (readonly [string, number])[];
  readonly checks: readonly (readonly [string, number])[];
}

if (options.help) console.log(HELP);
else if (options.step) await work(Number(options.from), Number(options.step), { minutes: numberOf(options.minutes) });
else if (options.seed) process.exitCode = await runOne(Number(options.seed));
else process.exitCode = await runMany();

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

async function runOne(seed: number): Promise<number> {
  const { faults: wanted } = options;
  const limits: Limits = {
    devices: numberOf(options.devices),
    minutes: numberOf(options.minutes),
    faults: wanted === undefined ? undefined : wanted === 'none' ? [] : wanted.split(',').map(Number),
  };
  const startMs = realNowMs();
  const outcome = await run(planOf(seed, limits), options.trace ? (line) => console.log(line) : undefined);
  const summary = new Summary();
  summary.add(outcome);
  console.log(summary.print(realNowMs() - startMs));
  console.log(`digest ${outcome.digest}`);
  if (!outcome.violation) return 0;
  const isWhole = Object.values(limits).every((limit) => limit === undefined);
  return isWhole ? tellShrunk(outcome, limits) : tell(outcome, limits);
}

async function tellShrunk(outcome: Outcome, given: Limits): Promise<number> {
  console.log(`${outcome.violation?.message}\nlooking for a smaller run that fails in the same way …`);
  const { limits, outcome: smaller } = await shrink(outcome, given);
  return tell(smaller, limits);
}

function tell(outcome: Outcome, limits: Limits): number {
  const { plan, violation, trace } = outcome;
  const parts = `${plan.kind}, ${plan.devices} devices, ${plan.faults.length} faults, ${plan.minutes} minutes`;
  console.log(
    `\n${trace.slice(-40).join('\n')}\n\n${violation?.message}\n(${parts})\nagain: ${commandFor(plan, limits)}`,
  );
  return 1;
}

/** Runs seeds in several processes until enough time has been simulated, or one fails. */
async function runMany(): Promise<number> {
  const from = Number(options.from ?? Math.floor(Math.random() * MAX_SEED));
  const hours = Number(options.hours ?? 1);
  const workers = Number(options.workers ?? availableParallelism());
  const startMs = realNowMs();
  const summary = new Summary();
  const failed: number[] = [];
  console.log(`seeds from ${from}, in ${workers} processes`);
  const ended = Array.from({ length: workers }, async (_, i) => {
    const shared = options.minutes === undefined ? [] : ['--minutes', options.minutes];
    const args = ['--from', String(from + i), '--step', String(workers), ...shared];
    const child = fork(fileURLToPath(import.meta.url), args);
    child.on('message', ({ seed, isFailure, faults, checks, ...figures }: News) => {
      const before = Math.floor((summary.hours / hours) * REPORTS);
      summary.add({ ...figures, faults: new Map(faults), checks: new Map(checks) });
      if (Math.floor((summary.hours / hours) * REPORTS) > before) console.log(summary.time(realNowMs() - startMs));
      if (isFailure) failed.push(seed);
      if (isFailure || summary.hours >= hours || failed.length > 0) child.kill();
    });
    await new Promise((resolve) => child.on('exit', resolve));
  });
  await Promise.all(ended);
  console.log(summary.print(realNowMs() - startMs));
  const [first] = failed;
  if (first !== undefined) {
    console.log(`seed ${first} fails`);
    const limits = { minutes: numberOf(options.minutes) };
    return tellShrunk(await run(planOf(first, limits)), limits);
  }
  return summary.hours >= hours ? 0 : 1;
}

/** Runs one seed after another, and reports each, until the parent ends this process. */
async function work(from: number, step: number, limits: Limits): Promise<void> {
  process.on('disconnect', () => process.exit());
  for (let seed = from; ; seed += step) {
    const { violation, faults, checks, simulatedMs, cpuMs, events, votes } = await run(planOf(seed, limits));
    const figures = { simulatedMs, cpuMs, events, votes, faults: [...faults], checks: [...checks] };
    process.send?.({ seed, isFailure: violation !== undefined, ...figures } satisfies News);
  }
}
