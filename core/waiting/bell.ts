/** Wakes readers that wait for something new. Rings are not remembered: if nobody is waiting, a ring is lost. */
export class Bell {
  private waiting = new Set<() => void>();

  ring(): void {
    const woken = this.waiting;
    this.waiting = new Set();
    for (const wake of woken) wake();
  }

  /** Resolves at the next ring, after `waitMs`, or when `signal` aborts, whichever comes first. */
  wait(waitMs: number, signal?: AbortSignal): Promise<void> {
    return this.listen(waitMs, signal).rung;
  }

  /** Like `wait`, but can be cancelled: `cancel` ends the wait and removes its timer and listeners. */
  listen(waitMs: number, signal?: AbortSignal): { readonly rung: Promise<void>; readonly cancel: () => void } {
    if (waitMs <= 0 || signal?.aborted) return { rung: Promise.resolve(), cancel: () => {} };
    let wake = () => {};
    const rung = new Promise<void>((resolve) => {
      wake = () => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
    });
    const timer = setTimeout(wake, waitMs);
    this.waiting.add(wake);
    signal?.addEventListener('abort', wake, { once: true });
    return { rung, cancel: () => wake() };
  }
}
