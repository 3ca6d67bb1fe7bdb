import type { PollBook } from '../../core/live/poll-book.ts';
import type { Log } from '../../core/runtime/log.ts';
import { LruMap } from '../../core/runtime/lru-map.ts';
import { compareOffsets, type Offset } from '../../core/store/offset.ts';
import type { Series } from '../../core/store/series/series.ts';
import type { CountChange, Store } from '../../core/store/store.ts';
import { applyChange, roundKey, type Slice } from '../../core/voting/count/slice.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import { pause } from '../../core/waiting/pause.ts';
import { repeat } from '../../core/waiting/repeat.ts';
import { turn } from '../../core/waiting/turn.ts';
import type { ProcessorMetrics } from '../metrics.ts';
import { Backlog } from './backlog.ts';
import { eventPoints, openingPoints, slicePoints } from './series-points.ts';

/** Maximum number of changes per partition in one read from the feed. */
const MAX_CHANGES = 256;
const READ_WAIT_MS = 500;
/** Interval in ms at which the points of the current second are written. */
const FLUSH_EVERY_MS = 500;
const RETRY_MS = { first: 1_000 } as const;
/** Maximum number of slices cached in memory per partition. The least recently changed slices are evicted first. */
const MAX_SLICES = 256;
/** When a partition is taken over, points are written for open rounds and for rounds closed within this time (ms). */
const RECENT_MS = 3_600_000;
/** Delay in ms before a closed round’s last points are written again: an earlier write that timed out may take effect late. */
const REPEAT_MS = 10_000;
/** The partition whose processor also writes the points that belong to no partition. */
const FIRST = 0;

/** The state of a partition for which this process writes points. */
interface Followed {
  cursor: Offset;
  readonly slices: LruMap<string, { slice: Slice; readonly asOf: Offset; isDirty: boolean }>;
}

interface SeriesWriterParts {
  readonly store: Store;
  readonly polls: PollBook;
  readonly series: Series;
  readonly partitions: () => readonly number[];
  readonly metrics: ProcessorMetrics;
  readonly log: Log;
}

/**
 * Turns the change feed into time series: one point per second, with the values at the end of that second. Values are absolute
 * and timestamps come from the vote log, so that two processors that write the same point write the same value.
 */
export class SeriesWriter {
  private readonly parts: SeriesWriterParts;
  private readonly backlog: Backlog;
  private readonly followed = new Map<number, Followed>();
  private readonly repeats = new Set<NodeJS.Timeout>();
  private readonly halt = new AbortController();
  private writing = Promise.resolve();
  private flushedAtMs = 0;

  private constructor(parts: SeriesWriterParts, log: Log) {
    this.parts = parts;
    this.backlog = Backlog.open(parts.series, log, parts.metrics);
  }

  static async open(parts: SeriesWriterParts): Promise<SeriesWriter> {
    const log = parts.log.child({ part: 'series' });
    const writer = new SeriesWriter(parts, log);
    parts.polls.on('change', writer.onPoll);
    const step = async () => {
      await writer.takeOver();
      await writer.follow();
    };
    const failureMessage = 'could not follow the change feed; trying again';
    writer.writing = repeat(step, { signal: writer.halt.signal, retryMs: RETRY_MS, log, failureMessage });
    return writer;
  }

  async close(): Promise<void> {
    this.halt.abort();
    this.parts.polls.off('change', this.onPoll);
    for (const timer of this.repeats) clearTimeout(timer);
    await this.writing;
    for (const [partition, { slices }] of this.followed) this.flush(partition, slices);
    await this.backlog.close();
  }

  private readonly onPoll = (id: string): void => {
    const poll = this.parts.polls.get(id);
    if (poll && this.followed.has(FIRST)) this.backlog.add(eventPoints(poll));
  };

  private async follow(): Promise<void> {
    const { signal } = this.halt;
    const cursors = new Map([...this.followed].map(([partition, { cursor }]) => [partition, cursor]));
    const { changes, gaps } = await this.parts.store.changes.read(cursors, {
      limit: MAX_CHANGES,
      waitMs: READ_WAIT_MS,
      signal,
    });
    for (const partition of gaps) this.followed.delete(partition);
    for (const change of changes) await this.apply(change);
    await this.flushRegularly();
    if (changes.length === 0) await pause(1, signal);
  }

  /** Starts following newly leased partitions, and stops following partitions that are no longer leased. */
  private async takeOver(): Promise<void> {
    const partitions = this.parts.partitions();
    for (const partition of this.followed.keys()) if (!partitions.includes(partition)) this.followed.delete(partition);
    for (const partition of partitions) {
      if (this.followed.has(partition)) continue;
      const { changed } = await this.parts.store.counts.position(partition);
      this.followed.set(partition, { cursor: changed, slices: new LruMap() });
      const recent = this.parts.polls.all().filter(isRecent);
      for (const poll of recent) await this.writeNow(partition, poll);
      if (partition === FIRST) for (const poll of recent) this.backlog.add(eventPoints(poll));
    }
  }

  /** Writes the current points of a round, because the partition’s previous processor may not have written its last points. */
  private async writeNow(partition: number, { definition, round }: Poll): Promise<void> {
    const slice = await this.parts.store.counts.slice(partition, definition.poll, round);
    if (slice) this.backlog.add(slicePoints(slice, partition, definition));
  }

  private async apply({ partition, offset, slices }: CountChange): Promise<void> {
    const followed = this.followed.get(partition);
    if (!followed) return;
    for (const change of slices) {
      const known = await this.known(partition, followed, change.poll, change.round);
      // A slice that was just loaded may already include this change.
      if (known && compareOffsets(offset, known.asOf) <= 0) continue;
      const entry = known ?? { slice: applyChange(undefined, change), asOf: offset, isDirty: false };
      // The change belongs to a later second, so write the last values of the previous second first.
      if (secondOf(entry.slice.atMs) < secondOf(change.atMs) && entry.isDirty) this.emit(partition, entry.slice);
      const wasOpen = entry.slice.open;
      entry.slice = applyChange(entry.slice, change);
      entry.isDirty = true;
      const key = roundKey(change.poll, change.round);
      followed.slices.put(key, entry);
      if (wasOpen && !change.open) this.repeat(partition, entry.slice);
    }
    followed.cursor = offset;
    for (const [, { slice }] of followed.slices.trim(MAX_SLICES)) this.emit(partition, slice);
  }

  private async known(partition: number, { slices }: Followed, poll: string, round: number) {
    const key = roundKey(poll, round);
    const known = slices.get(key);
    if (known) return known;
    const { offset: asOf } = await this.parts.store.counts.position(partition);
    const slice = await this.parts.store.counts.slice(partition, poll, round);
    if (!slice) return undefined;
    const entry = { slice, asOf, isDirty: true };
    slices.set(key, entry);
    const current = this.parts.polls.get(poll);
    if (current?.round === round) this.backlog.add(openingPoints(current, partition));
    return entry;
  }

  private async flushRegularly(): Promise<void> {
    if (performance.now() - this.flushedAtMs < FLUSH_EVERY_MS) return;
    this.flushedAtMs = performance.now();
    for (const [partition, { slices }] of this.followed) {
      this.flush(partition, slices);
      // Large tallies take milliseconds, in which no vote is acknowledged.
      await turn();
    }
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
    const poll = this.parts.polls.get(slice.poll);
    this.backlog.add(slicePoints(slice, partition, poll?.definition));
  }
}

const secondOf = (atMs: number): number => Math.floor(atMs / 1_000);

function isRecent({ openedAtMs, closedAtMs }: Poll): boolean {
  return openedAtMs !== undefined && (closedAtMs === undefined || Date.now() - closedAtMs < RECENT_MS);
}
