/** How much may be taken at once, and how much of that is restored per second. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/**
 * A token bucket that may go into debt: a taker that exceeds it waits until the debt is paid. As a taker asks for one thing at a
 * time, takers that share an allowance take turns.
 */
export class Allowance {
  private readonly rate: Rate;
  private left: number;
  private atMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.rate = rate;
    this.left = rate.burst;
    this.atMs = nowMs;
  }

  /** Takes `cost`, and returns how long (ms) to wait before using it. @param nowMs by a clock that never goes backwards */
  take(cost: number, nowMs: number): number {
    const { burst, perSecond } = this.rate;
    this.left = Math.min(burst, this.left + ((nowMs - this.atMs) / 1_000) * perSecond) - cost;
    this.atMs = nowMs;
    return this.left >= 0 ? 0 : (-this.left / perSecond) * 1_000;
  }

  /** Takes `cost` if that much is left, and returns whether it was. */
  takeIf(cost: number, nowMs: number): boolean {
    if (this.take(cost, nowMs) === 0) return true;
    this.giveBack(cost);
    return false;
  }

  /** Gives back what was taken and not used. */
  giveBack(cost: number): void {
    this.left += cost;
  }
}
