/** A connection that waits until there is capacity again. */
export interface Held {
  resume(): void;
}

/**
 * Counts the PUBLISH and PUBREL packets in flight in the whole broker. At the limit, the broker stops reading from connections until half
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

/** The packets of one connection that are in flight, within a limit of its own and that of the broker. */
export class Share {
  private readonly flow: Flow;
  private readonly limit: number;
  private readonly held: Held;
  private underWay = 0;

  /** @param held is resumed when packets may go on, after there was no room */
  constructor(flow: Flow, limit: number, held: Held) {
    this.flow = flow;
    this.limit = limit;
    this.held = held;
  }

  /** True if one more packet may be in flight. If not, `resume` will be called. */
  hasRoom(): boolean {
    if (this.flow.hasRoomFor(1)) return this.underWay < this.limit;
    this.flow.hold(this.held);
    return false;
  }

  enter(): void {
    this.underWay++;
    this.flow.enter(1);
  }

  leave(packets: number): void {
    const half = this.limit >> 1;
    const wasFull = this.underWay > half;
    this.underWay -= packets;
    this.flow.leave(packets);
    if (wasFull && this.underWay <= half) this.held.resume();
  }

  /** Call when the connection closes. Its packets stay in flight until `leave`. */
  close(): void {
    this.flow.release(this.held);
  }
}
