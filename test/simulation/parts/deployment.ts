import type { Trace } from '../checks/trace.ts';
import type { Plan } from '../plan.ts';
import { Database } from '../store/database.ts';
import { Disk } from '../store/disk.ts';
import { StoreServer } from '../store/server.ts';
import { SimulatedStore } from '../store/store.ts';
import type { World } from '../world/world.ts';
import { type Dashboard, Process, type Role } from './process.ts';

/** Clocks run at most this much too fast or too slow. */
const DRIFT = 0.002;
/** Wall clocks are at most this much off when a process starts, in ms. */
const OFF_MS = 1_500;

interface DeploymentParts {
  readonly world: World;
  readonly plan: Plan;
  readonly trace: Trace;
  readonly onDefect: (line: string) => void;
  readonly onDashboard: (dashboard: Dashboard) => void;
}

/** All processes of a deployment, and their store. */
export class Deployment {
  readonly database: Database;
  readonly server: StoreServer | undefined;
  readonly disk: Disk | undefined;
  readonly processes: readonly Process[];

  constructor({ world, plan, trace, onDefect, onDashboard }: DeploymentParts) {
    this.database = new Database(plan.partitions);
    const isShared = plan.kind === 'shared';
    const server = isShared ? new StoreServer(world, this.database) : undefined;
    const disk = isShared ? undefined : new Disk(world, this.database);
    this.server = server;
    this.disk = disk;
    const roles: Role[] = isShared
      ? [...of('broker', plan.brokers), ...of('processor', plan.processors), ...of('dashboard', plan.dashboards)]
      : ['all'];
    const random = world.random.of('clocks');
    this.processes = roles.map((role, i) => {
      const name = `${role}-${i + 1}`;
      const clock = {
        rate: 1 + random.between(-DRIFT, DRIFT),
        wallOffsetMs: random.between(-OFF_MS, OFF_MS),
        startedMs: random.between(0, 1e6),
      };
      const openStore = (machine: Process['machine']) => {
        if (disk) {
          machine.onDeath(() => disk.lose());
          return { store: SimulatedStore.local(world, machine, disk) };
        }
        return SimulatedStore.shared(world, machine, server as StoreServer);
      };
      return new Process({ name, role, world, trace, clock, onDefect, onDashboard, openStore });
    });
  }

  /** The ports of brokers that are ready. */
  get ports(): readonly number[] {
    return this.processes.map(({ port }) => port).filter((port) => port !== undefined);
  }

  get dashboards(): readonly (Process & { readonly dashboard: Dashboard })[] {
    return this.processes.filter((one): one is Process & { dashboard: Dashboard } => one.dashboard !== undefined);
  }
}

function of(role: Role, count: number): Role[] {
  return Array.from({ length: count }, () => role);
}
