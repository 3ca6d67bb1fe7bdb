import type { PollBook } from '../core/live/polls.ts';
import type { Log } from '../core/runtime/log.ts';
import { pause } from '../core/runtime/pause.ts';
import { compareOffsets, type Offset } from '../core/store/offset.ts';
import type { Series } from '../core/store/series/series.ts';
import type { Change, Store } from '../core/store/store.ts';
import type { Poll } from '../core/voting/poll.ts';
import { applyChange, roundKey, type Slice } from '../core/voting/slice.ts';
import { Backlog } from './backlog.ts';
import type { ProcessorMetrics } from './metrics.ts';
import { eventsOf, pointsOf, zeroPointsOf } from './points.ts';

/** Changes taken from the feed at a time, per partition. */
const MAX_CHANGES = 256;
const READ_WAIT_MS = 500;
/** Points of the second that is not over are made this often, ms. */
const FLUSH_EVERY_MS = 500;
const RETRY_MS = 1_000;
/** Slices kept in memory per partition; the least recently changed go first. */
const MAX_SLICES = 256;
/** The points of rounds that were closed so lately are written when a partition is taken over, ms. */
const RECENT_MS = 3_600_000;
/** The last points of a closed round are written once more after this, ms: a write that timed out may land late. */
const REPEAT_MS = 10_000;
/** The partition whose processor writes what belongs to no partition. */
const FIRST = 0;

/** What is known of a partition this process writes for. */
interface Followed {
  cursor: Offset;
  readonly slices: Map<string, { slice: Slice; readonly asOf: Offset; isDirty: boolean }>;
}

/**
 * Turns the change feed into time series: one point per second with the values at its end. Values are absolute and
 * instants are those of the vote log, so that two who write the same write the same.
 */
export class SeriesWriter {
  readonly name = 'series-writer';
  private readonly store: Store;
  private readonly polls: PollBook;
  private readonly partitions: () => readonly number[];
  private readonly log: Log;
  private readonly backlog: Backlog;
  private readonly followed = new Map<number, Followed>();
  private readonly repeats = new Set<NodeJS.Timeout>();
  private readonly halt = new AbortController();
  private loop: Promise<void> | undefined;
  private flushedAtMs = 0;

  constructor(
    parts: { store: Store; polls: PollBook; series: Series; partitions: () => readonly number[]; log: Log },
    metrics: ProcessorMetrics,
  ) {
    this.store = parts.store;
    this.polls = parts.polls;
    this.partitions = parts.partitions;
    this.log = parts.log.child({ part: 'series' });
    this.backlog = new Backlog(parts.series, this.log, metrics);
  }

  async start(): Promise<void> {
    this.backlog.start();
    this.polls.on('change', this.onPoll);
    this.loop = this.run();
  }

  async stop(): Promise<void> {
    this.halt.abort();
    this.polls.off('change', this.onPoll);
    for (const timer of this.repeats) clearTimeout(timer);
    await this.loop;
    for (const [partition, { slices }] of this.followed) this.flush(partition, slices);
    await this.backlog.stop();
  }

  private readonly onPoll = (id: string): void => {
    const poll = this.polls.get(id);
    if (poll && this.followed.has(FIRST)) this.backlog.add(eventsOf(poll));
  };

  private async run(): Promise<void> {
    const { signal } = this.halt;
    while (!signal.aborted) {
      try {
        await this.takeOver();
        await this.follow();
      } catch (error) {
        this.log.warn({ err: error, retryMs: RETRY_MS }, 'could not follow the count; trying again');
        await pause(RETRY_MS, signal);
      }
    }
  }

  private async follow(): Promise<void> {
    const { signal } = this.halt;
    const cursors = new Map([...this.followed].map(([partition, { cursor }]) => [partition, cursor]));
    const { changes, gaps } = await this.store.changes.read(cursors, {
      limit: MAX_CHANGES,
      waitMs: READ_WAIT_MS,
      signal,
    });
    for (const partition of gaps) this.followed.delete(partition);
    for (const change of changes) await this.apply(change);
    this.flushNowAndThen();
    if (changes.length === 0) await pause(1, signal);
  }

  /** Begins with the partitions that are this process's now, and forgets the others. */
  private async takeOver(): Promise<void> {
    const partitions = this.partitions();
    for (const partition of this.followed.keys()) if (!partitions.includes(partition)) this.followed.delete(partition);
    for (const partition of partitions) {
      if (this.followed.has(partition)) continue;
      const { changed } = await this.store.counts.position(partition);
      this.followed.set(partition, { cursor: changed, slices: new Map() });
      const recent = this.polls.all().filter(isRecent);
      for (const poll of recent) await this.writeNow(partition, poll);
      if (partition === FIRST) for (const poll of recent) this.backlog.add(eventsOf(poll));
    }
  }

  /** Whoever had the partition before may not have written the last points. */
  private async writeNow(partition: number, { definition, round }: Poll): Promise<void> {
    const slice = await this.store.counts.slice(partition, definition.poll, round);
    if (slice) this.backlog.add(pointsOf(slice, partition, definition));
  }

  private async apply({ partition, offset, slices }: Change): Promise<void> {
    const followed = this.followed.get(partition);
    if (!followed) return;
    for (const change of slices) {
      const known = await this.known(partition, followed, change.poll, change.round);
      // Loaded a moment ago, it may be newer than this change.
      if (known && compareOffsets(offset, known.asOf) <= 0) continue;
      const entry = known ?? { slice: applyChange(undefined, change), asOf: offset, isDirty: false };
      // A second is over: its last values are points before the next second's are known.
      if (secondOf(entry.slice.atMs) < secondOf(change.atMs) && entry.isDirty) this.emit(partition, entry.slice);
      const wasOpen = entry.slice.open;
      entry.slice = applyChange(entry.slice, change);
      entry.isDirty = true;
      const key = roundKey(change.poll, change.round);
      followed.slices.delete(key);
      followed.slices.set(key, entry);
      if (wasOpen && !change.open) this.repeat(partition, entry.slice);
    }
    followed.cursor = offset;
    for (const [key, { slice }] of followed.slices) {
      if (followed.slices.size <= MAX_SLICES) break;
      this.emit(partition, slice);
      followed.slices.delete(key);
    }
  }

  private async known(partition: number, { slices }: Followed, poll: string, round: number) {
    const key = roundKey(poll, round);
    const known = slices.get(key);
    if (known) return known;
    const { offset: asOf } = await this.store.counts.position(partition);
    const slice = await this.store.counts.slice(partition, poll, round);
    if (!slice) return undefined;
    const entry = { slice, asOf, isDirty: true };
    slices.set(key, entry);
    const current = this.polls.get(poll);
    if (current?.round === round) this.backlog.add(zeroPointsOf(current, partition));
    return entry;
  }

  private flushNowAndThen(): void {
    if (performance.now() - this.flushedAtMs < FLUSH_EVERY_MS) return;
    this.flushedAtMs = performance.now();
    for (const [partition, { slices }] of this.followed) this.flush(partition, slices);
  }

  private flush(partition: number, slices: Followed['slices']): void {
    for (const entry of slices.values()) {
      if (!entry.isDirty) continue;
      this.emit(partition, entry.slice);
      entry.isDirty = false;
    }
  }

  private repeat(partition: number, slice: Slice): void {
    const timer = setTimeout(() => {
      this.repeats.delete(timer);
      this.emit(partition, slice);
    }, REPEAT_MS);
    this.repeats.add(timer);
  }

  private emit(partition: number, slice: Slice): void {
    const poll = this.polls.get(slice.poll);
    this.backlog.add(pointsOf(slice, partition, poll?.definition));
  }
}

const secondOf = (atMs: number): number => Math.floor(atMs / 1_000);

function isRecent({ openedAtMs, closedAtMs }: Poll): boolean {
  return openedAtMs !== undefined && (closedAtMs === undefined || Date.now() - closedAtMs < RECENT_MS);
}
