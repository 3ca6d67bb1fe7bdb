/** What a flow holds back: it is asked to go on when there is room again. */
export interface Held {
  goOn(): void;
}

/**
 * Counts the packets under way in the whole broker. At the limit, connections stop being read until half of it is
 * free again, so that a burst waits in the network and not in memory.
 */
export class Flow {
  readonly limit: number;
  private underWay = 0;
  private readonly held = new Set<Held>();

  constructor(limit: number) {
    this.limit = limit;
  }

  /** How many packets are under way. */
  get inFlight(): number {
    return this.underWay;
  }

  /** True when this many packets more may be under way. */
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
    for (const held of resumed) held.goOn();
  }

  /** Asks to be resumed when there is room. */
  hold(held: Held): void {
    this.held.add(held);
  }

  release(held: Held): void {
    this.held.delete(held);
  }
}
