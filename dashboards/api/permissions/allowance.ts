import { LruMap } from '../../../core/runtime/lru-map.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** How often something may happen per day and name, so that it cannot push everything else out within weeks. */
const PER_DAY = 1_000;
/** How many names are remembered. One that is forgotten begins with a full allowance. */
const MAX_NAMES = 10_000;

interface Use {
  minuteMs: number;
  inMinute: number;
  dayMs: number;
  inDay: number;
  leftOut: number;
}

/** Limits how often something happens per minute, day and name, and counts what was left out. */
export class Allowance {
  private readonly perDay: number;
  private readonly most: number;
  private readonly used = new LruMap<string, Use>();

  /** @param most how many names are remembered */
  constructor(perDay = PER_DAY, most = MAX_NAMES) {
    this.perDay = perDay;
    this.most = most;
  }

  /**
   * Takes one of `perMinute`. Returns how many were left out since the last one that was taken; undefined if this one is.
   */
  take(name: string, perMinute: number, nowMs = performance.now()): number | undefined {
    const one = this.used.use(name) ?? { minuteMs: nowMs, inMinute: 0, dayMs: nowMs, inDay: 0, leftOut: 0 };
    this.used.put(name, one);
    this.used.trim(this.most);
    if (nowMs - one.minuteMs >= MINUTE_MS) Object.assign(one, { minuteMs: nowMs, inMinute: 0 });
    if (nowMs - one.dayMs >= DAY_MS) Object.assign(one, { dayMs: nowMs, inDay: 0 });
    if (one.inMinute >= perMinute || one.inDay >= this.perDay) {
      one.leftOut++;
      return undefined;
    }
    const { leftOut } = one;
    Object.assign(one, { inMinute: one.inMinute + 1, inDay: one.inDay + 1, leftOut: 0 });
    return leftOut;
  }
}
