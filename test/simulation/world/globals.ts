import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import timers from 'node:timers/promises';
import type { Machine } from './machine.ts';
import type { Random } from './random.ts';
import type { Happening, Schedule } from './schedule.ts';

/** The simulation that is running, and the machine on which something happens now. */
interface Stage {
  readonly schedule: Schedule<Machine>;
  readonly random: Random;
  readonly machine: Machine;
  /** Opens a port of the current machine. */
  readonly listen: (onSocket?: unknown) => net.Server;
}

/** How long a turn of the event loop takes in ms. If it took no time, a loop that waits turn by turn would wait for ever. */
const TURN_MS = 0.005;

let stage: Stage | undefined;
const real = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate, Date };
const realNow = performance.now.bind(performance);
const { random: realRandom } = Math;
const { randomUUID, randomBytes } = crypto;
const { createServer } = net;
const { setImmediate: realTurn } = timers;

/** Runs something after all promises that can settle now have done so, and then lets real I/O happen. */
export const realTurnThen: (next: () => void) => void = real.setImmediate;
export const realNowMs: () => number = realNow;

/** From now on, clocks, timers, random numbers and ports are those of a simulation; without one, the real ones again. */
export function enter(next: Stage | undefined): void {
  stage = next;
}

/** A simulated timer or immediate, with the methods that Node.js’s have. */
class SimulatedTimer {
  happening: Happening<Machine> | undefined;
  private readonly start: () => Happening<Machine>;

  constructor(start: (timer: SimulatedTimer) => Happening<Machine>) {
    this.start = () => start(this);
    this.happening = this.start();
  }

  cancel(): void {
    if (this.happening) this.happening.what = undefined;
    this.happening = undefined;
  }

  refresh(): this {
    this.cancel();
    this.happening = this.start();
    return this;
  }

  close(): this {
    this.cancel();
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }
}

type Work = (...given: unknown[]) => void;

function startTimer(work: Work, ms: number | undefined, given: unknown[], isRepeated: boolean): SimulatedTimer {
  const waitMs = Math.max(1, Number(ms) || 1);
  const { machine } = stage as Stage;
  return new SimulatedTimer((timer) =>
    machine.after(waitMs, () => {
      timer.happening = undefined;
      if (isRepeated) timer.refresh();
      work(...given);
    }),
  );
}

function cancelOr(otherwise: (timer: never) => void): (timer: unknown) => void {
  return (timer) => {
    if (timer instanceof SimulatedTimer) timer.cancel();
    else otherwise(timer as never);
  };
}

class SimulatedDate extends real.Date {
  constructor(...given: [] | [number]) {
    if (given.length === 0) super(SimulatedDate.now());
    else super(...given);
  }

  static override now(): number {
    return stage ? stage.machine.wallMs : real.Date.now();
  }
}

/** Replaces a function by one that asks the simulation if one is running. */
Object.assign(globalThis, {
  Date: SimulatedDate,
  setTimeout: Object.assign(
    (work: Work, ms?: number, ...given: unknown[]) =>
      stage ? startTimer(work, ms, given, false) : real.setTimeout(work, ms, ...given),
    real.setTimeout,
  ),
  setInterval: (work: Work, ms?: number, ...given: unknown[]) =>
    stage ? startTimer(work, ms, given, true) : real.setInterval(work, ms, ...given),
  setImmediate: Object.assign((work: Work, ...given: unknown[]) => {
    if (!stage) return real.setImmediate(work, ...given);
    const { machine } = stage;
    return new SimulatedTimer(() => machine.after(TURN_MS, () => work(...given)));
  }, real.setImmediate),
  clearTimeout: cancelOr(real.clearTimeout),
  clearInterval: cancelOr(real.clearInterval),
  clearImmediate: cancelOr(real.clearImmediate),
});
Math.random = () => (stage ? stage.random.fraction() : realRandom());
Object.defineProperty(performance, 'now', {
  configurable: true,
  value: () => (stage ? stage.machine.monotonicMs : realNow()),
});
Object.assign(timers, {
  setImmediate: (value?: unknown) =>
    stage ? new Promise((resolve) => stage?.machine.after(TURN_MS, () => resolve(value))) : realTurn(value),
});
Object.assign(crypto, {
  randomUUID: () => {
    if (!stage) return randomUUID();
    const hex = stage.random.bytes(16).toString('hex');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  },
  randomBytes: (size: number) => (stage ? stage.random.bytes(size) : randomBytes(size)),
});
Object.assign(net, {
  createServer: (...given: Parameters<typeof createServer>) =>
    stage ? stage.listen(given.find((one) => typeof one === 'function')) : createServer(...given),
});
syncBuiltinESMExports();
