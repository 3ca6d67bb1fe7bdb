import type { PollBook } from '../core/live/polls.ts';
import type { Log } from '../core/runtime/log.ts';
import { pause } from '../core/runtime/pause.ts';
import type { Store } from '../core/store/store.ts';
import { neededFrom } from '../core/voting/retention.ts';

const DAY_MS = 86_400_000;
/** How often old entries are looked for, ms. */
const TRIM_EVERY_MS = 600_000;

/** Removes what is too old from the vote log: counted, and not needed to count a round again that closed lately. */
export class Trimmer {
  readonly name = 'trimmer';
  private readonly store: Store;
  private readonly polls: PollBook;
  private readonly partitions: () => readonly number[];
  private readonly retentionMs: number;
  private readonly log: Log;
  private readonly halt = new AbortController();
  private loop: Promise<void> | undefined;

  /** @param retentionDays how long closed rounds can be counted again; 0: for ever */
  constructor(
    parts: { store: Store; polls: PollBook; partitions: () => readonly number[]; log: Log },
    retentionDays: number,
  ) {
    this.store = parts.store;
    this.polls = parts.polls;
    this.partitions = parts.partitions;
    this.log = parts.log.child({ part: 'trimmer' });
    this.retentionMs = retentionDays * DAY_MS;
  }

  async start(): Promise<void> {
    if (this.retentionMs > 0) this.loop = this.trimOnAndOn();
  }

  async stop(): Promise<void> {
    this.halt.abort();
    await this.loop;
  }

  /** Removes what is too old at an instant, ms since 1970. @returns how many entries were removed */
  async trim(nowMs: number): Promise<number> {
    const beforeMs = neededFrom(this.polls.all(), nowMs - this.retentionMs);
    let removed = 0;
    for (const partition of this.partitions()) {
      const { offset } = await this.store.counts.position(partition);
      for (let some = 1; some > 0; removed += some) some = await this.store.log.trim(partition, beforeMs, offset);
    }
    return removed;
  }

  private async trimOnAndOn(): Promise<void> {
    const { signal } = this.halt;
    while (!signal.aborted) {
      try {
        const entries = await this.trim(Date.now());
        if (entries > 0) this.log.info({ entries }, 'removed old entries from the vote log');
      } catch (error) {
        this.log.warn({ err: error }, 'could not remove old entries; trying again');
      }
      await pause(TRIM_EVERY_MS, signal);
    }
  }
}
