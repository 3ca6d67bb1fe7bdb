import { StoreError } from '../../core/store/error.ts';
import { checkCount, ResultChecks } from './checks/count.ts';
import { Ledger } from './checks/ledger.ts';
import { Trace, Violation } from './checks/trace.ts';
import { Deployment } from './parts/deployment.ts';
import { Device } from './parts/device.ts';
import { Faults } from './parts/faults.ts';
import { Operator } from './parts/operator.ts';
import type { Plan } from './plan.ts';
import { World } from './world/world.ts';

/** How long it may take at most, in ms, until all has come right once nothing goes wrong any more. */
const SETTLE_LIMIT_MS = 240_000;
const CHECK_EVERY_MS = 1_000;

/** What came of a run. */
export interface Outcome {
  readonly plan: Plan;
  /** The first promise that was broken; undefined if all were kept. */
  readonly violation: Violation | undefined;
  /** The same for the same plan, on every machine. */
  readonly digest: string;
  readonly simulatedMs: number;
  /** Time of the processor that it took. */
  readonly cpuMs: number;
  readonly events: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly checks: ReadonlyMap<string, number>;
  readonly votes: { readonly pressed: number; readonly acknowledged: number; readonly stored: number };
  /** What happened last. */
  readonly trace: readonly string[];
}

/** Runs a plan. @param print called with each line of the trace */
export async function run(plan: Plan, print?: (line: string) => void): Promise<Outcome> {
  const begun = process.cpuUsage();
  const world = new World(plan.seed);
  const trace = new Trace(world, print);
  let violation: Violation | undefined;
  let isOver = false;
  const onViolation = (found: Violation): void => {
    if (violation) return;
    violation = found;
    trace.note('violation', found.message);
    isOver = true;
  };
  const onDefect = (line: string): void => onViolation(new Violation(`a defect: ${line}`));
  const onRejection = (error: unknown): void => {
    if (!(error instanceof StoreError))
      onDefect(`a promise was rejected, and nobody handled it: ${(error as Error).stack}`);
  };
  process.on('unhandledRejection', onRejection);
  let results: ResultChecks | undefined;
  const deployment = new Deployment({
    ...{ world, plan, trace, onDefect },
    onDashboard: ({ results: live, polls }) => {
      live.on('change', (id) => {
        const poll = polls.get(id);
        // A result that cannot be read is not served.
        if (poll) results?.check(live, poll).catch(() => {});
      });
    },
  });
  const ledger = new Ledger(deployment.database, onViolation);
  results = new ResultChecks(plan.partitions, ledger);
  const polls = Array.from({ length: plan.polls }, (_, i) => `poll-${i + 1}`);
  const devices = Array.from({ length: plan.devices }, (_, i) => {
    const id = `device-${i + 1}`;
    const { random } = world;
    return new Device({
      ...{ id, world, ledger, trace, random: random.of(id) },
      ports: () => deployment.ports,
      polls: () => polls,
    });
  });
  const operator = new Operator({ world, deployment, polls, trace, onDefect, random: world.random.of('operator') });
  const onFault = () => operator.provoke();
  const faults = new Faults({ world, deployment, devices, trace, onFault }, plan.faults);

  const { outside } = world;
  const endMs = plan.minutes * 60_000;
  outside.after(endMs, () => {
    trace.note('end', 'from now on, everything works');
    faults.cure();
    operator.finish();
    for (const device of devices) device.stop();
    settle();
  });
  const settle = (): void => {
    const open = unsettled(deployment, devices, operator);
    if (open.length === 0) {
      checkCount(deployment.database, ledger);
      isOver = true;
    } else if (world.nowMs > endMs + SETTLE_LIMIT_MS) {
      onViolation(new Violation(`all comes right again: still waiting for ${open.join(', ')}`));
    } else outside.after(CHECK_EVERY_MS, settle);
  };

  await world.run(() => isOver);
  process.off('unhandledRejection', onRejection);
  const acknowledged = ledger.presses.filter((press) => press.isAcknowledged).length;
  const stored = ledger.presses.filter((press) => ledger.isStored(press)).length;
  return {
    ...{ plan, violation, trace: trace.lines, digest: trace.digest() },
    ...{ simulatedMs: world.nowMs, cpuMs: cpuMsSince(begun), events: world.schedule.happened },
    ...{ faults: faults.happened, checks: ledger.checks },
    votes: { pressed: ledger.presses.length, acknowledged, stored },
  };
}

function cpuMsSince(begun: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1_000;
}

/** What has not come right yet. */
function unsettled({ database, processes }: Deployment, devices: readonly Device[], operator: Operator): string[] {
  const down = processes.filter(({ port, dashboard, role }) => {
    return (role === 'broker' && port === undefined) || (role === 'dashboard' && !dashboard);
  });
  const unheard = devices.filter(({ isSettled }) => !isSettled).length;
  const polls = operator.documents.filter(({ status }) => status !== 'draft' && status !== 'closed');
  const behind = Array.from({ length: database.partitions }, (_, partition) => partition).filter((partition) => {
    return database.entriesAfter(partition, database.position(partition).offset, 1).length > 0;
  });
  return [
    ...down.map(({ name }) => name),
    ...(unheard > 0 ? [`${unheard} devices`] : []),
    ...polls.map(({ definition, status }) => `${definition.poll} (${status})`),
    ...behind.map((partition) => `the count of partition ${partition}`),
  ];
}
