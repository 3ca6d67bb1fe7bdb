import type { Log } from '../../core/runtime/log.ts';
import type { Offset } from '../../core/store/offset.ts';
import type { LoggedEntry, Store } from '../../core/store/store.ts';
import type { UnreadableEntry } from '../../core/voting/count/entry.ts';
import { fold, votesIn } from '../../core/voting/count/fold.ts';
import { pause } from '../../core/waiting/pause.ts';
import { repeat } from '../../core/waiting/repeat.ts';
import { turn } from '../../core/waiting/turn.ts';
import type { ProcessorMetrics } from '../metrics.ts';
import { Attempts } from './attempts.ts';
import { Commits, type Counted } from './commits.ts';
import type { BallotLimits } from './open-rounds.ts';
import { firstVotes, Portion } from './portion.ts';
import { markedIn, ProgressBook } from './progress-book.ts';
import { type Foldable, Unreadable } from './unreadable.ts';

/** Maximum time in ms for which a read waits for new entries. Stopping may take that long. */
const READ_WAIT_MS = 1_000;
/**
 * Time in ms to let entries accumulate after a commit: a commit of many entries costs little more than one of few. While results are
 * watched, this is the time from one reading to the next; but the pause is at least as long as the step before it, up to this.
 */
const GATHER_MS = 10;
/** Pause in ms after a step in which no partition could be counted. It doubles from `first` up to `most`. */
const RETRY_MS = { first: 100, most: 5_000 } as const;

/** Stands for counted entries that the log lacks or that were damaged since, and whose ballots were not stored. */
const LOST: UnreadableEntry = { type: 'unreadable', why: 'the log lacks counted entries', content: '' };

interface CounterParts {
  readonly store: Store;
  /** Returns the partitions to count. It is called before each read, because assignments change. */
  readonly partitions: () => readonly number[];
  readonly metrics: ProcessorMetrics;
  readonly log: Log;
  readonly limits?: BallotLimits;
  /** Whether somebody in this process waits for what is counted; it is committed more often then. */
  readonly isWatched?: (() => boolean) | undefined;
}

/**
 * Counts votes: reads partitions of the vote log from their committed offset, folds the entries, and commits the result with a
 * compare-and-set on that offset and the checkpoint. After a crash, or with several counters, entries may be read twice but are
 * counted only once.
 */
export class Counter {
  private readonly parts: CounterParts;
  private readonly log: Log;
  private readonly unreadable: Unreadable;
  private readonly book: ProgressBook;
  private readonly attempts: Attempts;
  private readonly commits: Commits;
  /** The partitions of the last step. */
  private held: readonly number[] = [];
  private readonly portion = new Portion();
  private readonly halt = new AbortController();
  private counting = Promise.resolve();

  private constructor(parts: CounterParts) {
    this.parts = parts;
    this.log = parts.log.child({ part: 'counter' });
    const { log } = this;
    const { store, metrics, limits } = parts;
    this.unreadable = new Unreadable({ store, metrics, log });
    this.book = new ProgressBook({ store, unreadable: this.unreadable, metrics, log, limits });
    const { unreadable, book } = this;
    this.attempts = new Attempts({ book, metrics, log });
    this.commits = new Commits({ counts: store.counts, book, attempts: this.attempts, unreadable, metrics, log });
  }

  /** Why this process cannot count, as a sentence; undefined if it can. */
  get problem(): string | undefined {
    return this.unreadable.problem;
  }

  static async open(parts: CounterParts): Promise<Counter> {
    const counter = new Counter(parts);
    counter.counting = repeat(() => counter.step(), {
      signal: counter.halt.signal,
      retryMs: RETRY_MS,
      log: counter.log,
      failureMessage: 'counting failed, trying again; votes are safe in the log',
      level: 'error',
      recovered: 'counting has resumed',
      onFailure: () => parts.metrics.commits.inc({ outcome: 'failed' }),
    });
    return counter;
  }

  /** Finishes the current commit. Entries that have not been counted yet are left to the next counter. */
  async close(): Promise<void> {
    this.halt.abort();
    await this.counting;
  }

  /** Reads all partitions once, and counts the entries found. @throws the first error if no partition could be counted */
  private async step(): Promise<void> {
    const partitions = this.parts.partitions();
    this.forgetOthers(partitions);
    this.attempts.begin();
    const cursors = await this.cursors(partitions);
    if (cursors.size === 0) this.attempts.conclude([]);
    const { signal } = this.halt;
    const limit = this.portion.entries;
    const found = await this.read(cursors, limit);
    const startMs = performance.now();
    for (const partition of cursors.keys()) this.measureLag(partition, found.get(partition));
    for (const partition of cursors.keys()) {
      if (found.has(partition)) continue;
      await this.attempts.of(partition, () => this.commits.checkpoint(partition, this.held.length));
    }
    const batches = [...found].map(([partition, entries]) => {
      const batch = firstVotes(this.unreadable.readable(partition, entries));
      return { partition, batch, isBehind: entries.length === limit || entries.length > batch.length };
    });
    this.portion.note(batches.flatMap(({ batch }) => batch));
    const counts: Promise<Counted | undefined>[] = [];
    for (const { partition, batch } of batches) {
      counts.push(this.attempts.of(partition, () => this.count(partition, batch)));
      // One partition at a time, so that other work need not wait for all of them.
      await turn();
    }
    const counted = (await Promise.all(counts)).filter((one) => one !== undefined);
    await this.commits.all(counted, this.held.length);
    this.attempts.conclude(cursors.keys());
    // If the store returns early without entries, this loop must still yield to other work.
    if (found.size === 0) return pause(1, signal);
    const isBehind = batches.some((one) => one.isBehind);
    if (!isBehind) await pause(this.gatherMs(performance.now() - startMs), signal);
  }

  /** Where to read the partitions, which are taken over if need be. */
  private async cursors(partitions: readonly number[]): Promise<Map<number, Offset>> {
    const cursors = new Map<number, Offset>();
    for (const partition of partitions) {
      if (this.halt.signal.aborted) break;
      if (this.unreadable.isResting(partition) || this.attempts.isResting(partition)) continue;
      const progress = await this.attempts.of(partition, () => this.book.of(partition));
      if (progress) cursors.set(partition, progress.offset);
    }
    return cursors;
  }

  private async read(cursors: ReadonlyMap<number, Offset>, limit: number): Promise<Map<number, LoggedEntry[]>> {
    try {
      return await this.parts.store.log.read(cursors, { limit, waitMs: READ_WAIT_MS, signal: this.halt.signal });
    } catch (error) {
      // When the store is back, it may lack what it had.
      this.book.forgetAll();
      throw error;
    }
  }

  private gatherMs(tookMs: number): number {
    if (!this.parts.isWatched?.()) return GATHER_MS;
    return Math.max(GATHER_MS - tookMs, Math.min(GATHER_MS, tookMs));
  }

  /** Discards the state of partitions that other processors count now. It would be stale if this process counted them again. */
  private forgetOthers(partitions: readonly number[]): void {
    // All that were counted before, because a failure clears the progress, but not what else is known of a partition.
    const { held } = this;
    this.held = [...partitions];
    for (const partition of held) {
      if (partitions.includes(partition)) continue;
      this.book.forget(partition);
      this.unreadable.forget(partition);
      this.attempts.forget(partition);
      this.parts.metrics.lagSeconds.remove({ partition });
    }
  }

  /** Measures the age of the oldest uncounted entry. The age is at least zero, even if the clocks of two machines differ. */
  private measureLag(partition: number, entries: readonly LoggedEntry[] = []): void {
    const first = entries.find(({ entry }) => 'atMs' in entry)?.entry;
    const atMs = first && 'atMs' in first ? first.atMs : undefined;
    this.parts.metrics.lagSeconds.set({ partition }, atMs === undefined ? 0 : Math.max(0, (Date.now() - atMs) / 1000));
  }

  /** Counts entries in memory. @returns what is to be committed, if there are entries */
  private async count(partition: number, logged: readonly Foldable[]): Promise<Counted | undefined> {
    if (logged.length === 0) return undefined;
    const progress = await this.book.of(partition);
    const entries = logged.map(({ entry }) => entry);
    const state = await this.book.load(partition, progress, entries);
    const unreadable = new Map<UnreadableEntry, readonly string[]>();
    // What is gone may have been of any open round, as with an entry that cannot be read.
    const folded = progress.rounds.isIncomplete ? [LOST, ...entries] : entries;
    const changes = fold(state, folded, (entry, touched) => unreadable.set(entry, touched));
    await this.unreadable.setAside(partition, logged, unreadable);
    const offset = (logged.at(-1) as Foldable).offset;
    const votes = entries.reduce((sum, entry) => sum + votesIn(entry), 0);
    const { slices, rounds } = progress;
    const marked = markedIn(entries);
    rounds.opened(marked, slices);
    rounds.counted(votes);
    // Behind a checkpoint, rounds are open or closed as their slices say.
    const isDue = marked.size > 0 || rounds.isIncomplete || rounds.isDue(this.held.length);
    const size = { entries: entries.length, votes };
    return { partition, progress, changes: { offset, ...changes, ...size }, logged, isDue };
  }
}
