import { Refusal } from '../runtime/refusal.ts';

/** Openings and closings that are under way in this process. The store must not close before they have ended. */
export class Steps {
  private readonly running = new Set<Promise<unknown>>();
  private isClosed = false;

  /** Runs a step. @throws Refusal stopping, once the process is stopping */
  async run<T>(step: () => Promise<T>): Promise<T> {
    if (this.isClosed) throw new Refusal('stopping', 'this process is stopping; try again in a moment');
    const running = step();
    this.running.add(running);
    try {
      return await running;
    } finally {
      this.running.delete(running);
    }
  }

  /** From now on, no step begins. Resolves once all have ended. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.allSettled(this.running);
  }
}
