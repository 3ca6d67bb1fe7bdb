/** A connection with more packets in flight than this pipelines: it sends on without waiting for acknowledgements. */
const PIPELINING = 64;
/** How many packets those that pipeline may have in flight together, if that is less than each of them may have alone. */
const PIPELINED_TOGETHER = 1_024;

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
  /** The number of connections that pipeline. */
  private pipelining = 0;
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

  /** How many packets one connection that pipelines may have in flight now, so that a vote of another does not wait for all of them. */
  get fairShare(): number {
    return this.pipelining < 2 ? PIPELINED_TOGETHER : Math.max(PIPELINING, PIPELINED_TOGETHER / this.pipelining);
  }

  enter(packets: number): void {
    this.underWay += packets;
  }

  /** Call when a connection begins or ceases to pipeline. */
  pipelines(is: boolean): void {
    this.pipelining += is ? 1 : -1;
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

/** The packets of one connection that are in flight, within a limit of its own, its fair share, and the limit of the broker. */
export class Share {
  private readonly flow: Flow;
  private readonly most: number;
  private readonly held: Held;
  private underWay = 0;
  /** True if the connection waits until half of its share is free. */
  private isHeld = false;

  /** @param most how many may be in flight @param held is resumed when packets may go on, after there was no room */
  constructor(flow: Flow, most: number, held: Held) {
    this.flow = flow;
    this.most = most;
    this.held = held;
  }

  /** True if one more packet may be in flight. If not, `resume` will be called. */
  hasRoom(): boolean {
    if (!this.flow.hasRoomFor(1)) {
      this.flow.hold(this.held);
      return false;
    }
    const { underWay } = this;
    // Most have less in flight than any fair share.
    this.isHeld = underWay >= this.most || (underWay >= PIPELINING && underWay >= this.flow.fairShare);
    return !this.isHeld;
  }

  enter(): void {
    if (this.underWay++ === PIPELINING) this.flow.pipelines(true);
    this.flow.enter(1);
  }

  leave(packets: number): void {
    const wasPipelining = this.underWay > PIPELINING;
    this.underWay -= packets;
    if (wasPipelining && this.underWay <= PIPELINING) this.flow.pipelines(false);
    this.flow.leave(packets);
    // The limit may have changed since the connection was held.
    if (!this.isHeld || this.underWay > this.limit >> 1) return;
    this.isHeld = false;
    this.held.resume();
  }

  /** Call when the connection closes. Its packets stay in flight until `leave`. */
  close(): void {
    this.flow.release(this.held);
  }

  private get limit(): number {
    return Math.min(this.most, this.flow.fairShare);
  }
}
