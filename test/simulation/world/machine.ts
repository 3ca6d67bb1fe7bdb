import type { Happening, Schedule } from './schedule.ts';

/** What wall clocks show when a simulation begins, in ms since 1970. */
const BEGIN_MS = Date.UTC(2026, 0, 1);

/**
 * A simulated process with its clocks. While it is paused, nothing happens on it; what was due happens once it goes on. After it
 * was killed, nothing happens on it any more.
 */
export class Machine {
  readonly name: string;
  private readonly schedule: Schedule<Machine>;
  /** How fast its clocks run; 1 is right. */
  private readonly rate: number;
  private monotonicOffsetMs: number;
  private wallOffsetMs: number;
  private overdue: Happening<Machine>[] | undefined;
  private stoppedAtMs: number | undefined;
  private killed = false;
  /** Called when the machine is killed. */
  private readonly deaths: (() => void)[] = [];

  constructor(
    schedule: Schedule<Machine>,
    name: string,
    clock: { rate?: number; startedMs?: number; wallOffsetMs?: number } = {},
  ) {
    this.schedule = schedule;
    this.name = name;
    this.rate = clock.rate ?? 1;
    this.monotonicOffsetMs = (clock.startedMs ?? 0) - schedule.nowMs * this.rate;
    this.wallOffsetMs = clock.wallOffsetMs ?? 0;
  }

  get isDead(): boolean {
    return this.killed;
  }

  get isPaused(): boolean {
    return this.overdue !== undefined;
  }

  /** What `performance.now()` returns on this machine. */
  get monotonicMs(): number {
    return this.monotonicOffsetMs + this.schedule.nowMs * this.rate;
  }

  /** What `Date.now()` returns on this machine. */
  get wallMs(): number {
    return Math.floor(BEGIN_MS + this.wallOffsetMs + this.schedule.nowMs);
  }

  /** The simulated time at which the machine’s monotonic clock will show an instant. */
  simulatedMs(monotonicMs: number): number {
    return (monotonicMs - this.monotonicOffsetMs) / this.rate;
  }

  stepWallClock(byMs: number): void {
    this.wallOffsetMs += byMs;
  }

  /** Schedules something on this machine after a time by its own clock. */
  after(ms: number, what: () => void): Happening<Machine> {
    return this.schedule.after(ms / this.rate, this, what);
  }

  /** Lets something happen now, or once the machine goes on. */
  take(happening: Happening<Machine>): void {
    if (this.killed) return;
    if (this.overdue) this.overdue.push(happening);
    else happening.what?.();
  }

  pause(): void {
    if (this.overdue) return;
    this.overdue = [];
    this.stoppedAtMs = this.schedule.nowMs;
  }

  /** @param isSuspended whether the monotonic clock stood still meanwhile, as it does while a computer sleeps */
  resume(isSuspended = false): void {
    const { overdue = [], stoppedAtMs = this.schedule.nowMs } = this;
    this.overdue = undefined;
    if (isSuspended) this.monotonicOffsetMs -= (this.schedule.nowMs - stoppedAtMs) * this.rate;
    for (const { what } of overdue) this.schedule.after(0, this, () => what?.());
  }

  kill(): void {
    if (this.killed) return;
    this.killed = true;
    this.overdue = undefined;
    for (const died of this.deaths) died();
  }

  onDeath(died: () => void): void {
    this.deaths.push(died);
  }
}
