/** Limits the time between the first and the last byte of a packet. There is one lazy timer, so that a busy connection does not set a timer for every read. */
export class PacketTimer {
  private readonly limitMs: number;
  private readonly onLate: () => void;
  /** The time in ms at which the first byte of the incomplete packet arrived; 0 if there is no incomplete packet. */
  private since = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number, onLate: () => void) {
    this.limitMs = limitMs;
    this.onLate = onLate;
  }

  /**
   * Call after every read.
   *
   * @param isPartial true if the packet that was read last is incomplete
   * @param isNew true if that is another packet than the last time
   */
  note(isPartial: boolean, isNew: boolean): void {
    if (!isPartial) {
      this.since = 0;
      return;
    }
    if (isNew || this.since === 0) this.since = Date.now();
    this.timer ??= setTimeout(this.check, this.limitMs);
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private readonly check = (): void => {
    this.timer = undefined;
    if (this.since === 0) return;
    const leftMs = this.since + this.limitMs - Date.now();
    if (leftMs > 0) this.timer = setTimeout(this.check, leftMs);
    else this.onLate();
  };
}
