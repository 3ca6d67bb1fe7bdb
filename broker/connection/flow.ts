/** A connection that waits until there is capacity again. */
export interface Held {
  resume(): void;
}

/**
 * Counts the PUBLISH packets in flight in the whole broker. At the limit, the broker stops reading from connections until half
 * of the capacity is free again, so that a burst waits in the network and not in memory.
 */
export class Flow {
  readonly limit: number;
  private underWay = 0;
  private readonly held = new Set<Held>();

  constructor(limit: number) {
    this.limit = limit;
  }

  /** The number of packets in flight. */
  get inFlight(): number {
    return this.underWay;
  }

  /** True if `packets` more packets may be in flight. */
  hasRoomFor(packets: number): boolean {
    return this.underWay + packets <= this.limit;
  }

  enter(packets: number): void {
    this.underWay += packets;
  }

  leave(packets: number): void {
    this.underWay -= packets;
    if (this.held.size === 0 || this.underWay > this.limit / 2) return;
    const resumed = [...this.held];
    this.held.clear();
    for (const held of resumed) held.resume();
  }

  /** Calls `held.resume()` once half of the capacity is free. */
  hold(held: Held): void {
    this.held.add(held);
  }

  release(held: Held): void {
    this.held.delete(held);
  }
}
