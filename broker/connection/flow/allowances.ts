import { LruMap } from '../../../core/runtime/lru-map.ts';
import { Allowance, type Rate } from './pace.ts';

/** How many allowances are kept. The one used least recently goes first, and is full again when it is next used. */
const MAX_KEPT = 20_000;

/**
 * An allowance for each of many: devices, or addresses. They outlive connections, so that nobody gets a full one by connecting
 * again.
 */
export class Allowances {
  private readonly rate: Rate;
  private readonly kept = new LruMap<string, Allowance>();

  constructor(rate: Rate) {
    this.rate = rate;
  }

  of(key: string, nowMs: number): Allowance {
    const known = this.kept.use(key);
    if (known) return known;
    const made = new Allowance(this.rate, nowMs);
    this.kept.put(key, made);
    this.kept.trim(MAX_KEPT);
    return made;
  }
}
