type Done = (error?: Error | null) => void;

interface Pending {
  readonly done: Done;
  outcome: { error: Error | undefined } | undefined;
}

/**
 * Sends the acknowledgements of one connection in the order in which its packets arrived [MQTT-4.6.0-2], even if processing
 * finishes in a different order. Aedes writes a PUBACK when its `authorizePublish` hook finishes, so the hooks must finish in
 * order.
 */
export class Acknowledgements {
  private readonly queue: Pending[] = [];

  /** True if every packet so far has been acknowledged. */
  get isEmpty(): boolean {
    return this.queue.length === 0;
  }

  /** Queues a packet. Call the returned function once the packet has been processed; `done` is called when its turn comes. */
  next(done: Done): (error?: Error) => void {
    const pending: Pending = { done, outcome: undefined };
    this.queue.push(pending);
    return (error) => {
      pending.outcome ??= { error };
      this.release();
    };
  }

  private release(): void {
    for (let first = this.queue[0]; first?.outcome; first = this.queue[0]) {
      this.queue.shift();
      first.done(first.outcome.error ?? null);
    }
  }
}
