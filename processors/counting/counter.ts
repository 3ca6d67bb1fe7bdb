import type { Log } from '../../core/runtime/log.ts';
import { LruMap } from '../../core/runtime/lru-map.ts';
import { type Offset, START } from '../../core/store/offset.ts';
import type { LoggedEntry, Store } from '../../core/store/store.ts';
import type { RejectionCounts } from '../../core/voting/count/accounting.ts';
import type { UnreadableEntry } from '../../core/voting/count/entry.ts';
import {
  type FoldChanges,
  type FoldedEntry,
  type FoldState,
  fold,
  touchedBy,
  votesIn,
} from '../../core/voting/count/fold.ts';
import { roundKey, type Slice } from '../../core/voting/count/slice.ts';
import { pause } from '../../core/waiting/pause.ts';
import { repeat } from '../../core/waiting/repeat.ts';
import type { ProcessorMetrics } from '../metrics.ts';
import { BALLOT_LIMITS, type BallotLimits, OpenRounds } from './open-rounds.ts';
import { firstVotes, Portion } from './portion.ts';
import { type Foldable, Unreadable } from './unreadable.ts';

/** Maximum time in ms for which a read waits for new entries. Stopping may take that long. */
const READ_WAIT_MS = 1_000;
/**
 * Time in ms to let entries accumulate after a commit: a commit of many entries costs little more than one of few. While results are
 * watched, this is the time from one reading to the next; but the pause is at least as long as the step before it, up to this.
 */
const GATHER_MS = 10;
/** Maximum number of slices cached in memory per partition. The least recently used slices are evicted first. */
const MAX_SLICES = 256;
/** Pause in ms after a failed read or commit. It doubles from `first` up to `most`. */
const RETRY_MS = { first: 100, most: 5_000 } as const;

/** Stands for counted entries that the log lacks or that were damaged since, and whose ballots were not stored. */
const LOST: UnreadableEntry = { type: 'unreadable', why: 'the log lacks counted entries', content: '' };

/** The state of a partition’s count, as this process last read or committed it. */
interface Progress {
  offset: Offset;
  readonly producers: Map<string, number>;
  readonly refused: RejectionCounts;
  readonly slices: LruMap<string, Slice>;
  readonly rounds: OpenRounds;
}

/** What is committed. */
interface Changes extends FoldChanges {
  readonly offset: Offset;
  readonly entries: number;
  readonly votes: number;
  /** True if the ballots are stored as well. */
  readonly isDue: boolean;
}

/** Entries that have been counted in memory, and are to be committed. */
interface Counted {
  readonly partition: number;
  readonly progress: Progress;
  readonly changes: Changes;
  readonly logged: readonly Foldable[];
}

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
  private readonly progress = new Map<number, Progress>();
  /** The partitions of the last step. */
  private held: readonly number[] = [];
  private readonly portion = new Portion();
  private readonly halt = new AbortController();
  private counting = Promise.resolve();

  private constructor(parts: CounterParts) {
    this.parts = parts;
    this.log = parts.log.child({ part: 'counter' });
    this.unreadable = new Unreadable({ store: parts.store, metrics: parts.metrics, log: this.log });
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
      onFailure: () => {
        counter.progress.clear();
        parts.metrics.commits.inc({ outcome: 'failed' });
      },
    });
    return counter;
  }

  /** Finishes the current commit. Entries that have not been counted yet are left to the next counter. */
  async close(): Promise<void> {
    this.halt.abort();
    await this.counting;
  }

  /** Reads all partitions once, and counts the entries found. */
  private async step(): Promise<void> {
    const cursors = new Map<number, Offset>();
    const partitions = this.parts.partitions();
    this.forgetOthers(partitions);
    for (const partition of partitions) {
      if (!this.unreadable.isResting(partition)) cursors.set(partition, (await this.progressOf(partition)).offset);
    }
    const { signal } = this.halt;
    const limit = this.portion.entries;
    const found = await this.parts.store.log.read(cursors, { limit, waitMs: READ_WAIT_MS, signal });
    const startMs = performance.now();
    for (const partition of cursors.keys()) this.measureLag(partition, found.get(partition));
    for (const partition of cursors.keys()) if (!found.has(partition)) await this.checkpoint(partition);
    // If the store returns early without entries, this loop must still yield to other work.
    if (found.size === 0) return pause(1, signal);
    const batches = [...found].map(([partition, entries]) => {
      const batch = firstVotes(this.unreadable.readable(partition, entries));
      return { partition, batch, isBehind: entries.length === limit || entries.length > batch.length };
    });
    this.portion.note(batches.flatMap(({ batch }) => batch));
    const counts: Promise<Counted | undefined>[] = [];
    for (const { partition, batch } of batches) {
      const counted = this.count(partition, batch);
      // It may fail before it is awaited.
      counted.catch(() => {});
      counts.push(counted);
      // One partition at a time, so that other work need not wait for all of them.
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Together, so that the embedded store writes them in one transaction, and waits for the disk once.
    const counted = await Promise.all(counts);
    await Promise.all(counted.map((one) => one && this.finish(one)));
    const isBehind = batches.some((one) => one.isBehind);
    if (!isBehind) await pause(this.gatherMs(performance.now() - startMs), signal);
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
      this.progress.delete(partition);
      this.unreadable.forget(partition);
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
    const progress = await this.progressOf(partition);
    const entries = logged.map(({ entry }) => entry);
    const state = await this.load(partition, progress, entries);
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
    return { partition, progress, changes: { offset, ...changes, ...size, isDue }, logged };
  }

  private async finish({ partition, progress, changes, logged }: Counted): Promise<void> {
    if (!(await this.commit(partition, progress, changes))) return;
    this.unreadable.report(partition, logged);
    progress.slices.trim(MAX_SLICES);
  }

  /** Stores the ballots of a partition without new entries, if that is due. */
  private async checkpoint(partition: number): Promise<void> {
    const progress = this.progress.get(partition);
    if (!progress?.rounds.isDue(this.held.length) || progress.offset === START) return;
    const nothing = { slices: [], producers: [], entries: 0, votes: 0 };
    await this.commit(partition, progress, { offset: progress.offset, ...nothing, isDue: true });
  }

  /** Commits changes, and with them the ballots if that is due. @returns whether nobody else was faster */
  private async commit(partition: number, progress: Progress, { votes, isDue, ...changes }: Changes): Promise<boolean> {
    const { offset: expected, refused, rounds, slices, producers } = progress;
    const { offset } = changes;
    const startMs = performance.now();
    const checkpoint = isDue ? rounds.checkpoint(slices, producers) : undefined;
    const base = { expected, expectedCheckpoint: rounds.checkpointed };
    const commit = { partition, ...base, ...changes, refused, ...(checkpoint ? { checkpoint } : {}) };
    const done = await this.parts.store.counts.commit(commit);
    this.parts.metrics.commits.inc({ outcome: done ? 'done' : 'lost' });
    this.parts.metrics.commitSeconds.observe((performance.now() - startMs) / 1000);
    if (!done) {
      this.log.warn(
        { partition, offset },
        'another processor committed first, or a failover lost a commit; continuing from what is stored',
      );
      this.progress.delete(partition);
      return false;
    }
    progress.offset = offset;
    if (isDue) rounds.stored(offset, slices, this.held.length);
    if (changes.entries > 0) this.parts.metrics.commitVotes.observe(votes);
    return true;
  }

  private async progressOf(partition: number): Promise<Progress> {
    const known = this.progress.get(partition);
    if (known) return known;
    const { store } = this.parts;
    const position = await store.counts.position(partition);
    const rounds = await OpenRounds.takeOver(store, partition, position, this.parts.limits ?? BALLOT_LIMITS);
    if (rounds.isIncomplete) {
      this.parts.metrics.incomplete.inc();
      await this.unreadable.setAsideCounted(partition, rounds.damaged);
      this.log.error(
        {
          partition,
          checkpoint: position.checkpoint?.offset,
          counted: position.offset,
          damaged: rounds.damaged.length,
        },
        'the vote log lacks counted entries whose ballots were not stored yet, or they are damaged; further votes of these voters may count again, and open rounds will not be final',
      );
    }
    const progress = { ...position, slices: new LruMap<string, Slice>(), rounds };
    this.progress.set(partition, progress);
    return progress;
  }

  /** Loads the slices and ballots that the entries may affect. */
  private async load(partition: number, progress: Progress, entries: readonly FoldedEntry[]): Promise<FoldState> {
    const { counts } = this.parts.store;
    const { slices, producers, refused, rounds } = progress;
    if (rounds.isIncomplete || entries.some(({ type }) => type === 'unreadable')) {
      for (const slice of await this.unreadable.openSlices(partition)) {
        const key = roundKey(slice.poll, slice.round);
        if (!slices.has(key)) slices.put(key, slice);
      }
    }
    const marked = markedIn(entries);
    for (const [key, { poll, round }] of touchedBy(entries)) {
      const slice = slices.get(key) ?? (await counts.slice(partition, poll, round));
      if (!slice) continue;
      slices.put(key, slice);
      // Votes in closed rounds are refused, whatever the ballots are. A marker may continue the round.
      if (slice.open || marked.has(key)) await rounds.load(slice);
    }
    return { slices, ballots: rounds.tables, producers, refused };
  }
}

/** The rounds that entries open or close, by `roundKey`. */
function markedIn(entries: readonly FoldedEntry[]): Set<string> {
  const marked = new Set<string>();
  for (const entry of entries) {
    if (entry.type === 'open' || entry.type === 'close') marked.add(roundKey(entry.poll, entry.round));
  }
  return marked;
}
