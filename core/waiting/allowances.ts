import { LruMap } from '../runtime/lru-map.ts';
import { Allowance, type Rate } from './allowance.ts';

/** How many callers are remembered. One that is forgotten begins with a full allowance. */
const MAX_CALLERS = 20_000;

/**
 * An allowance for each of many callers, such as devices or addresses. They outlive connections, so that nobody gets a full one by
 * connecting again.
 */
export class Allowances {
  private readonly rate: Rate;
  private readonly most: number;
  private readonly known = new LruMap<string, Allowance>();

  /** @param most how many callers are remembered */
  constructor(rate: Rate, most = MAX_CALLERS) {
    this.rate = rate;
    this.most = most;
  }

  get size(): number {
    return this.known.size;
  }

  /** Takes one. @returns 0, or how long (ms) the caller must wait until it may take one; then nothing was taken */
  take(caller: string, nowMs: number = performance.now()): number {
    const allowance = this.of(caller, nowMs);
    const waitMs = allowance.take(1, nowMs);
    if (waitMs > 0) allowance.giveBack(1);
    return waitMs;
  }

  of(caller: string, nowMs: number): Allowance {
    const known = this.known.use(caller);
    if (known) return known;
    const made = new Allowance(this.rate, nowMs);
    this.known.put(caller, made);
    this.known.trim(this.most);
    return made;
  }
}
