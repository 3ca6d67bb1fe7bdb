import type { PollBook } from '../../core/live/poll-book.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { Store } from '../../core/store/store.ts';
import { neededFrom } from '../../core/voting/poll/retention.ts';
import { repeat } from '../../core/waiting/repeat.ts';

const DAY_MS = 86_400_000;
/** Interval in ms between removals of old entries. */
const TRIM_EVERY_MS = 600_000;

interface TrimmerParts {
  readonly store: Store;
  readonly polls: PollBook;
  readonly partitions: () => readonly number[];
  /** The number of days for which closed rounds can be recounted; 0: forever. */
  readonly retentionDays: number;
  readonly log: Log;
}

/** Removes old entries from the vote log once they have been counted and are no longer needed for recounts. */
export class Trimmer {
  private readonly parts: TrimmerParts;
  private readonly halt = new AbortController();
  private trimming = Promise.resolve();

  private constructor(parts: TrimmerParts) {
    this.parts = parts;
  }

  static async open(parts: TrimmerParts): Promise<Trimmer> {
    const trimmer = new Trimmer(parts);
    const log = parts.log.child({ part: 'trimmer' });
    const step = async () => {
      const entries = await trimmer.trim(Date.now());
      if (entries > 0) log.info({ entries }, 'removed old entries from the vote log');
    };
    if (parts.retentionDays > 0) {
      trimmer.trimming = repeat(step, {
        signal: trimmer.halt.signal,
        everyMs: TRIM_EVERY_MS,
        retryMs: { first: TRIM_EVERY_MS },
        log,
        failureMessage: 'could not remove old entries from the vote log; trying again',
      });
    }
    return trimmer;
  }

  async close(): Promise<void> {
    this.halt.abort();
    await this.trimming;
  }

  /** Removes the entries that are too old at `nowMs`, in ms since 1970. @returns how many were removed */
  async trim(nowMs: number): Promise<number> {
    const { polls, partitions, retentionDays, store } = this.parts;
    const beforeMs = neededFrom(polls.all(), nowMs - retentionDays * DAY_MS);
    let removed = 0;
    for (const partition of partitions()) {
      const { checkpoint } = await store.counts.position(partition);
      // Ballots behind the checkpoint are stored nowhere but in the log.
      if (!checkpoint) continue;
      for (let some = 1; some > 0; removed += some) some = await store.log.trim(partition, beforeMs, checkpoint.offset);
    }
    return removed;
  }
}
