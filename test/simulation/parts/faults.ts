import type { Trace } from '../checks/trace.ts';
import type { Fault, FaultKind } from '../plan.ts';
import type { World } from '../world/world.ts';
import type { Deployment } from './deployment.ts';
import type { Device } from './device.ts';
import type { Process } from './process.ts';

/** The largest step of a wall clock, in ms. */
const MAX_STEP_MS = 7_200_000;
/** How long a failover takes in ms, and how much the clocks of two servers differ. */
const FAILOVER = { leastMs: 1_000, mostMs: 12_000, clockMs: 200 } as const;

interface FaultParts {
  readonly world: World;
  readonly deployment: Deployment;
  readonly devices: readonly Device[];
  readonly trace: Trace;
  /** Called whenever something goes wrong. */
  readonly onFault: () => void;
}

/** Lets things go wrong as planned, and makes them right again. */
export class Faults {
  /** How many faults happened, by kind. */
  readonly happened = new Map<FaultKind, number>();
  private readonly parts: FaultParts;
  /** Makes right what is wrong now. */
  private readonly cures = new Set<() => void>();

  constructor(parts: FaultParts, faults: readonly Fault[]) {
    this.parts = parts;
    for (const fault of faults) parts.world.outside.after(fault.atMs, () => this.happen(fault));
  }

  /** Makes everything right. */
  cure(): void {
    for (const cure of [...this.cures]) cure();
  }

  private happen(fault: Fault): void {
    const { kind, forMs, id } = fault;
    const how = this.apply(fault);
    if (how === undefined) return;
    this.happened.set(kind, (this.happened.get(kind) ?? 0) + 1);
    this.parts.onFault();
    this.parts.trace.note('fault', `#${id} ${kind} ${how} for ${Math.round(forMs)} ms`);
  }

  /** What was hit; undefined if there was nothing to hit. */
  private apply({ kind, target, size, forMs }: Fault): string | undefined {
    const { deployment, devices } = this.parts;
    const { server, disk, processes } = deployment;
    const pick = <T>(of: readonly T[]): T | undefined => of[Math.floor(target * of.length)];
    const one = pick(processes) as Process;
    const { machine } = one;
    const device = pick(devices.filter(({ line }) => line));
    switch (kind) {
      case 'kill':
      case 'power loss':
        one.kill(forMs);
        return one.name;
      case 'all processes killed':
        for (const each of processes) each.kill(size * forMs);
        return '';
      case 'stop':
        one.stop(forMs);
        return one.name;
      case 'pause':
      case 'suspend':
        if (machine.isPaused || machine.isDead) return undefined;
        machine.pause();
        this.until(forMs, () => machine.resume(kind === 'suspend'));
        return one.name;
      case 'clock step':
        machine.stepWallClock((size - 0.5) * 2 * (size > 0.5 ? MAX_STEP_MS : 20_000));
        return one.name;
      case 'line lost':
        device?.line?.lose();
        return device && '';
      case 'line silent':
        device?.line?.silence();
        return device && '';
      case 'line slow': {
        const line = device?.line;
        if (!line) return undefined;
        line.slowness = 1 + 300 * size;
        this.until(forMs, () => {
          line.slowness = 1;
        });
        return '';
      }
      case 'device moves':
      case 'device takes over':
        device?.move(kind === 'device takes over');
        return device && '';
      case 'store cut off':
      case 'store answers lost':
      case 'store far away':
      case 'appends slow': {
        const trouble = one.access?.trouble;
        if (!trouble) return undefined;
        if (kind === 'store cut off') trouble.isCut = true;
        else if (kind === 'store answers lost') trouble.loss = 0.05 + 0.6 * size;
        else if (kind === 'appends slow') trouble.appendMs = 20 + 2_500 * size;
        else trouble.slowness = 10 + 1_500 * size * size;
        this.until(forMs, () => Object.assign(trouble, { isCut: false, loss: 0, slowness: 1, appendMs: 0 }));
        return one.name;
      }
      case 'store refuses':
      case 'disk full': {
        const store = server ?? disk;
        if (!store) return undefined;
        store.refusal = 'no space left on device';
        this.until(forMs, () => {
          store.refusal = undefined;
        });
        return '';
      }
      case 'store slow':
      case 'disk slow': {
        const store = server ?? disk;
        if (!store) return undefined;
        store.slowness = 10 + 2_000 * size * size;
        this.until(forMs, () => {
          store.slowness = 1;
        });
        return '';
      }
      case 'store hangs':
        if (!server || server.machine.isPaused) return undefined;
        server.hang();
        this.until(forMs, () => server.machine.resume());
        return '';
      case 'replica gone':
        if (!server) return undefined;
        server.isReplicaGone = true;
        this.until(forMs, () => {
          server.isReplicaGone = false;
        });
        return '';
      case 'failover': {
        if (!server || server.machine.isPaused) return undefined;
        server.hang();
        // What the old server has not done by then, nobody does: its connections are gone.
        const lost = server.failOver(target, (size - 0.5) * 2 * FAILOVER.clockMs);
        this.until(FAILOVER.leastMs + size * (FAILOVER.mostMs - FAILOVER.leastMs), () => server.machine.resume());
        return `(${lost} changes lost)`;
      }
    }
  }

  private until(ms: number, cure: () => void): void {
    const once = (): void => {
      if (this.cures.delete(once)) cure();
    };
    this.cures.add(once);
    this.parts.world.outside.after(ms, once);
  }
}
