import { createHash } from 'node:crypto';
import type { World } from '../world/world.ts';

/** How many of the last lines are kept. */
const KEPT_LINES = 400;

/** A promise of the product was broken. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** What happened in a simulation, in order. Two runs of the same plan have the same digest. */
export class Trace {
  private readonly world: World;
  private readonly hash = createHash('sha256');
  private readonly print: ((line: string) => void) | undefined;
  private kept: string[] = [];

  constructor(world: World, print?: (line: string) => void) {
    this.world = world;
    this.print = print;
  }

  /** The last lines, oldest first. */
  get lines(): readonly string[] {
    return this.kept;
  }

  note(who: string, what: string): void {
    const line = `${(this.world.nowMs / 1_000).toFixed(3).padStart(10)} ${who.padEnd(12)} ${what}`;
    this.hash.update(line);
    this.print?.(line);
    this.kept.push(line);
    if (this.kept.length > 2 * KEPT_LINES) this.kept = this.kept.slice(-KEPT_LINES);
  }

  /** Call once, at the end. */
  digest(): string {
    return this.hash.update(String(this.world.schedule.happened)).digest('hex').slice(0, 16);
  }
}
