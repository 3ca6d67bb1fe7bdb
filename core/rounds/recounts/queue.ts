import type { PollBook } from '../../live/poll-book.ts';
import type { LiveResults } from '../../live/results.ts';
import type { Log } from '../../runtime/log.ts';
import { type Poll, stretchKey } from '../../voting/poll/poll.ts';
import { every } from '../../waiting/pause.ts';
import { LogTooLong } from './recount.ts';
import type { Recounter } from './recounter.ts';

/** Logs with more entries are not recounted automatically, because a long recount would slow down voting. */
const MAX_ENTRIES = 100_000;
/** Only rounds that were closed at most this long ago, in ms, are recounted automatically. */
const RECENT_MS = 10 * 60_000;
/** The maximum number of rounds that may wait for a recount. */
const MAX_WAITING = 100;
/** The default of `againEveryMs`. */
const AGAIN_EVERY_MS = 60_000;

interface QueueParts {
  readonly results: LiveResults;
  readonly polls: PollBook;
  readonly recounter: Recounter;
  /** Interval in ms at which recent rounds whose recount found differences are recounted. */
  readonly againEveryMs?: number;
  readonly log: Log;
}

/**
 * Recounts each round once it is final, one at a time. If a recount finds differences, the round is recounted every minute while
 * it is recent, so that an alarm caused by delayed figures is cleared.
 */
export class RecountQueue {
  private readonly parts: QueueParts;
  private readonly log: Log;
  private readonly halt = new AbortController();
  private readonly waiting = new Map<string, string>();
  private readonly seen = new Set<string>();
  private work: Promise<void> | undefined;

  private constructor(parts: QueueParts) {
    this.parts = parts;
    this.log = parts.log.child({ part: 'recounts' });
  }

  static async open(parts: QueueParts): Promise<RecountQueue> {
    const queue = new RecountQueue(parts);
    parts.results.on('change', queue.onChange);
    // Include rounds that were closed just before this process started.
    for (const { definition } of parts.polls.all()) queue.onChange(definition.poll);
    every(parts.againEveryMs ?? AGAIN_EVERY_MS, queue.halt.signal, () => queue.countAgain());
    return queue;
  }

  async close(): Promise<void> {
    this.parts.results.off('change', this.onChange);
    this.halt.abort();
    await this.work;
  }

  private readonly onChange = (id: string): void => {
    const poll = this.parts.polls.get(id);
    if (poll && outcomeOf(poll) === undefined && !this.seen.has(stretchKey(poll))) this.add(poll);
  };

  private countAgain(): void {
    for (const poll of this.parts.polls.all()) {
      if (outcomeOf(poll) === false) this.seen.delete(stretchKey(poll));
      if (outcomeOf(poll) !== true && !this.seen.has(stretchKey(poll))) this.add(poll);
    }
  }

  private add(poll: Poll): void {
    if (poll.status !== 'closed' || this.waiting.size >= MAX_WAITING) return;
    if (Date.now() - (poll.closedAtMs ?? 0) > RECENT_MS) return;
    this.waiting.set(poll.definition.poll, stretchKey(poll));
    this.work ??= this.countAll().finally(() => {
      this.work = undefined;
    });
  }

  private async countAll(): Promise<void> {
    const { polls, results, recounter } = this.parts;
    const { signal } = this.halt;
    for (const [id, key] of this.waiting) {
      this.waiting.delete(id);
      try {
        const poll = polls.get(id);
        if (!poll || signal.aborted) continue;
        const { final, missing } = await results.result(poll);
        if (missing) await recounter.note(poll, missing);
        // A round that is not final yet is queued again once it is final. Another dashboard may already have recounted it.
        if (!final) continue;
        if (outcomeOf(poll) === true || this.seen.has(key)) continue;
        this.seen.add(key);
        // The time series is not compared, because it may be unreachable and the count does not depend on it.
        await recounter.count(poll, { signal, maxEntries: MAX_ENTRIES });
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof LogTooLong) continue;
        this.seen.delete(key);
        this.log.warn({ err: error, poll: id }, 'could not recount automatically; an operator can start a recount');
      }
    }
  }
}

/** Whether the recount of the poll’s round agreed; undefined if the round has not been recounted. */
function outcomeOf({ recount, round }: Poll): boolean | undefined {
  return recount?.round === round ? recount.agrees : undefined;
}
