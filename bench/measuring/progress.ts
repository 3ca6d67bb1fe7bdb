/** How long a step takes is estimated from those before it, at first from this (s). */
const FIRST_GUESS_S = 8;

/** Shows which step of a long measurement is next, and how much time is left; ends it when its time is up. */
export class Progress {
  private readonly steps: number;
  private readonly limitSeconds: number;
  private readonly startMs = performance.now();
  private done = 0;

  /** @param limitSeconds when to leave out what is left; by default never */
  constructor(steps: number, limitSeconds = Number.POSITIVE_INFINITY) {
    this.steps = steps;
    this.limitSeconds = limitSeconds;
  }

  /** Announces the next step. @returns false if there is no time left for it */
  next(name: string): boolean {
    const passed = (performance.now() - this.startMs) / 1_000;
    const each = this.done === 0 ? FIRST_GUESS_S : passed / this.done;
    if (passed + each > this.limitSeconds) {
      process.stderr.write(`left out, because the time is up: ${name}\n`);
      return false;
    }
    const left = Math.min((this.steps - this.done) * each, this.limitSeconds - passed);
    const shownLeft = left >= 90 ? `${Math.round(left / 60)} min` : `${Math.round(left)} s`;
    process.stderr.write(`[${++this.done}/${this.steps}] ${name} … (about ${shownLeft} left)\n`);
    return true;
  }
}
