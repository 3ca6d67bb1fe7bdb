import type { Server } from 'node:net';
import { enter, realTurnThen } from './globals.ts';
import { Machine } from './machine.ts';
import { Network } from './network.ts';
import { Random } from './random.ts';
import { Schedule } from './schedule.ts';

/** How many events happen before real I/O is looked for. */
const TOGETHER = 100;

/** A simulated world: one clock, random numbers, and everything that runs by them. There is only one at a time. */
export class World {
  readonly schedule = new Schedule<Machine>();
  readonly random: Random;
  readonly network: Network;
  /** Where devices, people and the simulation’s own checks are. Nothing bad happens to it. */
  readonly outside: Machine;
  private machine: Machine;
  private readonly productRandom: Random;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.productRandom = this.random.of('product');
    this.network = new Network(this.schedule, this.random.of('network'));
    this.outside = new Machine(this.schedule, 'outside');
    this.machine = this.outside;
  }

  get nowMs(): number {
    return this.schedule.nowMs;
  }

  /** Does something as if it happened on a machine. Whatever follows from it happens there too. */
  on(machine: Machine, what: () => void): void {
    this.schedule.after(0, machine, what);
  }

  /** Lets time pass until `isOver` returns true after an event, or until a time in ms; by default, without limit. */
  run(isOver: () => boolean, untilMs = Number.POSITIVE_INFINITY): Promise<void> {
    const world = this;
    enter({
      schedule: this.schedule,
      random: this.productRandom,
      get machine() {
        return world.machine;
      },
      listen: (onSocket): Server => this.network.listen(this.machine, onSocket),
    });
    return new Promise((resolve, reject) => {
      let hasEnded = false;
      const end = (ended: () => void): void => {
        hasEnded = true;
        enter(undefined);
        ended();
      };
      const step = (): void => {
        if (hasEnded) return;
        try {
          const next = isOver() ? undefined : this.schedule.next(untilMs);
          if (!next) return end(resolve);
          this.machine = next.machine;
          next.machine.take(next);
        } catch (error) {
          end(() => reject(error));
        }
      };
      // Node.js settles all promises between two immediates, and looks for real I/O only after many.
      const many = (): void => {
        for (let i = 0; i < TOGETHER && !hasEnded; i++) realTurnThen(step);
        if (!hasEnded) realTurnThen(many);
      };
      many();
    });
  }
}
