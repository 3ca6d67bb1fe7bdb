/**
 * An instant to come, by two clocks, whichever is first: the monotonic clock stands still while the machine is suspended, and the
 * wall clock may be set back.
 */
export class Instant {
  private readonly monotonicMs: number;
  private readonly dateMs: number;

  /** @param monotonicMs by the clock of `performance.now()` @param dateMs the same instant, in ms since 1970 */
  constructor(monotonicMs: number, dateMs: number = Date.now() + (monotonicMs - performance.now())) {
    this.monotonicMs = monotonicMs;
    this.dateMs = dateMs;
  }

  /** By the clock of `performance.now()`, as it looks now: earlier than before if that clock has stood still. */
  get atMs(): number {
    return Math.min(this.monotonicMs, performance.now() + (this.dateMs - Date.now()));
  }
}
