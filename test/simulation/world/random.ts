import { randomOf } from '../../support/network/races.ts';

/** Random decisions that depend only on a seed. */
export class Random {
  private readonly seed: number;
  private readonly next: () => number;

  constructor(seed: number) {
    this.seed = seed;
    this.next = randomOf(seed);
  }

  /** Another source, for one purpose. What is drawn from one source does not change what others draw. */
  of(purpose: string): Random {
    let hash = this.seed ^ 0x9e3779b9;
    for (let i = 0; i < purpose.length; i++) hash = Math.imul(hash ^ purpose.charCodeAt(i), 0x01000193);
    return new Random(hash >>> 0);
  }

  /** From 0 to less than 1. */
  fraction(): number {
    return this.next();
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.next();
  }

  /** An integer from `least` to `most`. */
  integer(least: number, most: number): number {
    return Math.floor(this.between(least, most + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(of: readonly T[]): T {
    return of[Math.floor(this.next() * of.length)] as T;
  }

  /** A time that is usually short and sometimes long, with the given mean. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  bytes(size: number): Buffer {
    const bytes = Buffer.alloc(size);
    for (let i = 0; i < size; i++) bytes[i] = Math.floor(this.next() * 256);
    return bytes;
  }
}
