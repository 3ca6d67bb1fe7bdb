/** For so long (ms) in each turn of the event loop, pieces of work are done: what else has arrived comes between. */
const SPELL_MS = 2;

interface Job {
  readonly pieces: Iterator<unknown>;
  readonly resolve: (tookMs: number) => void;
  readonly reject: (error: unknown) => void;
  tookMs: number;
}

/**
 * Work for thousands of connections, in pieces, that must not hold up an acknowledgement: all of it together gets about 2 ms in each turn
 * of the event loop. Who is not done then goes on behind the others. There is no rest beyond the turn: how often work is given is decided
 * by those who give it, such as the pace of a feed.
 */
export class Spells {
  /** The next one is at the front. */
  private readonly waiting = new Set<Job>();
  private readonly least: number;
  /** How much of the spell of this turn has been spent, and how many pieces were done. */
  private spentMs = 0;
  private pieces = 0;
  private isWorking = false;
  private isNextDue = false;

  /**
   * @param least how many pieces are done in a turn in any case: on a busy machine, a spell may pass while other processes run, and
   * small pieces would then take a turn for a few of them each
   */
  constructor(least = 1) {
    this.least = least;
  }

  /**
   * Does one piece for each value that `pieces` yields: the first ones at once, if the spell of this turn is not over.
   *
   * @returns how long (ms) they took, without the work of others between; rejects if a piece throws, and leaves out the rest of them
   */
  do(pieces: Iterator<unknown>): Promise<number> {
    return new Promise((resolve, reject) => {
      this.waiting.add({ pieces, resolve, reject, tookMs: 0 });
      // A piece may give further work.
      if (!this.isWorking) this.work();
    });
  }

  private work(): void {
    const startMs = performance.now();
    const endMs = startMs + SPELL_MS - this.spentMs;
    let nowMs = startMs;
    this.isWorking = true;
    while (this.hasTime(nowMs, endMs)) {
      const [job] = this.waiting;
      if (!job) break;
      this.waiting.delete(job);
      nowMs = this.workAt(job, nowMs, endMs);
    }
    this.isWorking = false;
    this.spentMs += nowMs - startMs;
    if (this.isNextDue) return;
    this.isNextDue = true;
    setImmediate(this.onTurn);
  }

  /** @returns the time when it is done or interrupted */
  private workAt(job: Job, startMs: number, endMs: number): number {
    let nowMs = startMs;
    let isDone: boolean | undefined = false;
    try {
      while (!isDone && this.hasTime(nowMs, endMs)) {
        isDone = job.pieces.next().done;
        this.pieces++;
        nowMs = performance.now();
      }
    } catch (error) {
      job.reject(error);
      return performance.now();
    }
    job.tookMs += nowMs - startMs;
    if (isDone) job.resolve(job.tookMs);
    else this.waiting.add(job);
    return nowMs;
  }

  private hasTime(nowMs: number, endMs: number): boolean {
    return nowMs < endMs || this.pieces < this.least;
  }

  private readonly onTurn = (): void => {
    this.isNextDue = false;
    this.spentMs = 0;
    this.pieces = 0;
    if (this.waiting.size > 0) this.work();
  };
}
