import type { PollBook } from '../core/live/polls.ts';
import type { LiveResults } from '../core/live/results.ts';
import type { Log } from '../core/runtime/log.ts';
import type { Store } from '../core/store/store.ts';
import type { Poll } from '../core/voting/poll.ts';
import { roundKey } from '../core/voting/slice.ts';
import { LongLog, recount } from './recount.ts';

/** A log that keeps more entries than this is not read to its end unasked: that takes its time, and others want to vote. */
const MAX_ENTRIES = 100_000;
/** Only rounds that were closed so short a time ago are recounted unasked, ms. */
const RECENT_MS = 10 * 60_000;
/** Rounds that wait for their recount, at most. */
const MAX_WAITING = 100;

/** Counts each round again when it is final, and keeps what came of it with the poll: the result shows it. */
export class Recounts {
  readonly name = 'recounts';
  private readonly store: Store;
  private readonly results: LiveResults;
  private readonly polls: Pick<PollBook, 'get' | 'all'>;
  private readonly log: Log;
  private readonly halt = new AbortController();
  private readonly waiting = new Map<string, string>();
  private readonly seen = new Set<string>();
  private work: Promise<void> | undefined;

  /** @param polls all polls as they are now */
  constructor(store: Store, results: LiveResults, polls: Pick<PollBook, 'get' | 'all'>, log: Log) {
    this.store = store;
    this.results = results;
    this.polls = polls;
    this.log = log.child({ part: 'recounts' });
  }

  async start(): Promise<void> {
    this.results.on('change', this.onChange);
    // Rounds that were closed just before this process began.
    for (const { definition } of this.polls.all()) this.onChange(definition.poll);
  }

  async stop(): Promise<void> {
    this.results.off('change', this.onChange);
    this.halt.abort();
    await this.work;
  }

  /** Keeps the outcome of a recount with the poll, unless a new round began meanwhile. */
  async note(poll: string, round: number, agrees: boolean): Promise<void> {
    for (;;) {
      const found = await this.store.registry.get<Poll>('polls', poll);
      if (!found || found.value.deleted || found.value.round !== round || found.value.status !== 'closed') return;
      const next: Poll = { ...found.value, recount: { round, agrees, atMs: Date.now() } };
      if (await this.store.registry.put('polls', poll, next, found.version)) return;
    }
  }

  private readonly onChange = (id: string): void => {
    const poll = this.polls.get(id);
    if (poll?.status !== 'closed' || poll.recount?.round === poll.round || this.waiting.size >= MAX_WAITING) return;
    if (Date.now() - (poll.closedAtMs ?? 0) > RECENT_MS) return;
    const key = roundKey(id, poll.round);
    if (this.seen.has(key)) return;
    this.waiting.set(id, key);
    this.work ??= this.countAll().finally(() => {
      this.work = undefined;
    });
  };

  private async countAll(): Promise<void> {
    for (const [id, key] of this.waiting) {
      this.waiting.delete(id);
      try {
        const poll = this.polls.get(id);
        // One that is not final yet comes again with the change that makes it so; another dashboard may have been faster.
        if (!poll || this.halt.signal.aborted || !(await this.results.result(poll)).final) continue;
        if (poll.recount?.round === poll.round || this.seen.has(key)) continue;
        this.seen.add(key);
        await this.count(poll);
      } catch (error) {
        if (this.halt.signal.aborted) return;
        if (error instanceof LongLog) continue;
        this.seen.delete(key);
        this.log.warn({ err: error, poll: id }, 'could not recount; an operator may ask');
      }
    }
  }

  private async count(poll: Poll): Promise<void> {
    const { poll: id } = poll.definition;
    const live = () => this.results.result(poll);
    const { signal } = this.halt;
    // The time series may be away, and is not what people are promised.
    const found = await recount(this.store, undefined, poll, live, { signal, maxEntries: MAX_ENTRIES });
    const { agrees, differences } = found;
    if (!agrees) this.log.error({ poll: id, round: poll.round, differences }, 'the recount differs');
    await this.note(id, poll.round, agrees);
  }
}
