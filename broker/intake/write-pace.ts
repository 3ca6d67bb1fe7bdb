/**
 * Minimum time in ms between the starts of two writes. Under a steady load, entries would otherwise contain one or two votes each,
 * and an entry costs as much as dozens of votes.
 */
const GATHER_MS = 4;

/** Starts the writes of all partitions together, so that they share a commit. A write after a pause does not wait. */
export class WritePace {
  private waiting: (() => void)[] = [];
  private startedMs = Number.NEGATIVE_INFINITY;

  /** Calls `write` when the next writes start. */
  next(write: () => void): void {
    this.waiting.push(write);
    if (this.waiting.length > 1) return;
    const waitMs = this.startedMs + GATHER_MS - performance.now();
    // Packets from all connections in this turn of the event loop go into the same entry.
    if (waitMs <= 0) setImmediate(() => this.start());
    else setTimeout(() => this.start(), waitMs);
  }

  private start(): void {
    this.startedMs = performance.now();
    const { waiting } = this;
    this.waiting = [];
    for (const write of waiting) write();
  }
}
