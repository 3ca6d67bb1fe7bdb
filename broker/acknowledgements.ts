type Done = (error?: Error | null) => void;

interface Pending {
  readonly done: Done;
  outcome: { error: Error | undefined } | undefined;
}

/**
 * Lets acknowledgements of one connection leave in the order its packets came, whatever order they are settled in
 * [MQTT-4.6.0-2]. Aedes writes a PUBACK when a hook finishes, so the hooks have to finish in order.
 */
export class Acknowledgements {
  private readonly queue: Pending[] = [];

  /** Takes the next place. Call the function returned once the packet is settled; `done` follows in turn. */
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
