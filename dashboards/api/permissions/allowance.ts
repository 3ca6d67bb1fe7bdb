const MINUTE_MS = 60_000;

/** Limits how often something happens per minute and name, and counts what was left out. Names must be few. */
export class Allowance {
  private readonly used = new Map<string, { sinceMs: number; taken: number; leftOut: number }>();

  /**
   * Takes one of `perMinute`. Returns how many were left out since the last one that was taken; undefined if this one is.
   */
  take(name: string, perMinute: number, nowMs = performance.now()): number | undefined {
    const found = this.used.get(name);
    const one = found ?? { sinceMs: nowMs, taken: 0, leftOut: 0 };
    if (!found) this.used.set(name, one);
    if (nowMs - one.sinceMs >= MINUTE_MS) Object.assign(one, { sinceMs: nowMs, taken: 0 });
    if (one.taken >= perMinute) {
      one.leftOut++;
      return undefined;
    }
    const { leftOut } = one;
    Object.assign(one, { taken: one.taken + 1, leftOut: 0 });
    return leftOut;
  }
}
