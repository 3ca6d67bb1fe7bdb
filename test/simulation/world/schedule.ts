/** Something that will happen. */
export interface Happening<Machine> {
  readonly atMs: number;
  readonly order: number;
  /** The machine on which it happens. */
  readonly machine: Machine;
  what: (() => void) | undefined;
}

/** What is still to happen, in the order of time; at the same time, in the order in which it was scheduled. */
export class Schedule<Machine> {
  /** Simulated time in ms since the start. */
  nowMs = 0;
  /** How many events have happened. */
  happened = 0;
  private readonly heap: Happening<Machine>[] = [];
  private order = 0;

  after(ms: number, machine: Machine, what: () => void): Happening<Machine> {
    const happening = { atMs: this.nowMs + Math.max(0, ms), order: this.order++, machine, what };
    this.push(happening);
    return happening;
  }

  /** Removes the next event and moves the clock to it; undefined if there is none before `untilMs`. */
  next(untilMs: number): Happening<Machine> | undefined {
    for (;;) {
      const [first] = this.heap;
      if (!first || first.atMs > untilMs) return undefined;
      this.pop();
      if (!first.what) continue;
      this.nowMs = first.atMs;
      this.happened++;
      return first;
    }
  }

  private push(one: Happening<Machine>): void {
    const { heap } = this;
    let at = heap.push(one) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(one, heap[parent] as Happening<Machine>)) break;
      heap[at] = heap[parent] as Happening<Machine>;
      at = parent;
    }
    heap[at] = one;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop() as Happening<Machine>;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Happening<Machine>, heap[child] as Happening<Machine>))
        child++;
      if (!isBefore(heap[child] as Happening<Machine>, last)) break;
      heap[at] = heap[child] as Happening<Machine>;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Happening<unknown>, b: Happening<unknown>): boolean {
  return a.atMs - b.atMs < 0 || (a.atMs === b.atMs && a.order < b.order);
}
