import type { PollBook } from '../live/poll-book.ts';
import type { LiveResults } from '../live/results.ts';
import type { Log } from '../runtime/log.ts';
import { Refusal } from '../runtime/refusal.ts';
import type { Store } from '../store/store.ts';
import { type Poll, stretchKey } from '../voting/poll/poll.ts';
import type { PollRepository } from './poll-repository.ts';
import { LogTooLong, recount } from './recount.ts';

/** Logs with more entries are not recounted automatically, because a long recount would slow down voting. */
const MAX_ENTRIES = 100_000;
/** Only rounds that were closed at most this long ago, in ms, are recounted automatically. */
const RECENT_MS = 10 * 60_000;
/** The maximum number of rounds that may wait for a recount. */
const MAX_WAITING = 100;

interface QueueParts {
  readonly store: Store;
  readonly results: LiveResults;
  readonly polls: PollBook;
  readonly repository: PollRepository;
  readonly log: Log;
}

/**
 * Recounts each round once it is final, one at a time, and stores the outcome with the poll, so that the result includes it.
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
    return queue;
  }

  async close(): Promise<void> {
    this.parts.results.off('change', this.onChange);
    this.halt.abort();
    await this.work;
  }

  private readonly onChange = (id: string): void => {
    const poll = this.parts.polls.get(id);
    if (poll?.status !== 'closed' || poll.recount?.round === poll.round || this.waiting.size >= MAX_WAITING) return;
    if (Date.now() - (poll.closedAtMs ?? 0) > RECENT_MS) return;
    const key = stretchKey(poll);
    if (this.seen.has(key)) return;
    this.waiting.set(id, key);
    this.work ??= this.countAll().finally(() => {
      this.work = undefined;
    });
  };

  private async countAll(): Promise<void> {
    const { polls, results } = this.parts;
    for (const [id, key] of this.waiting) {
      this.waiting.delete(id);
      try {
        const poll = polls.get(id);
        // A round that is not final yet is queued again once it is final. Another dashboard may already have recounted it.
        if (!poll || this.halt.signal.aborted || !(await results.result(poll)).final) continue;
        if (poll.recount?.round === poll.round || this.seen.has(key)) continue;
        this.seen.add(key);
        await this.count(poll);
      } catch (error) {
        if (this.halt.signal.aborted) return;
        if (error instanceof LogTooLong) continue;
        this.seen.delete(key);
        this.log.warn({ err: error, poll: id }, 'could not recount automatically; an operator can start a recount');
      }
    }
  }

  private async count(poll: Poll): Promise<void> {
    const { store, results, repository } = this.parts;
    const { signal } = this.halt;
    const served = () => results.result(poll);
    // The time series is not compared, because it may be unreachable and the count does not depend on it.
    const { agrees, differences } = await recount({ store, poll, served, signal, maxEntries: MAX_ENTRIES });
    const { poll: id } = poll.definition;
    if (!agrees) this.log.error({ poll: id, round: poll.round, differences }, 'the recount found differences');
    await storeRecount(repository, poll, agrees);
  }
}

/** Stores the outcome of a recount with the poll, unless the round went on, a new one has begun, or the poll has been deleted. */
export async function storeRecount(repository: PollRepository, poll: Poll, agrees: boolean): Promise<void> {
  const { definition, round } = poll;
  try {
    await repository.change(definition.poll, (now) =>
      stretchKey(now) === stretchKey(poll) && now.status === 'closed'
        ? { ...now, recount: { round, agrees, atMs: Date.now() } }
        : undefined,
    );
  } catch (error) {
    if (!(error instanceof Refusal && error.code === 'no-such-poll')) throw error;
  }
}
