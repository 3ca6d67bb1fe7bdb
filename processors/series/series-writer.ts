import type { PollBook } from '../../core/live/poll-book.ts';
import type { Log } from '../../core/runtime/log.ts';
import { LruMap } from '../../core/runtime/lru-map.ts';
import { compareOffsets, type Offset } from '../../core/store/offset.ts';
import type { Point, Series } from '../../core/store/series/series.ts';
import type { CountChange, Store } from '../../core/store/store.ts';
import { applyChange, roundKey, type Slice } from '../../core/voting/count/slice.ts';
import { type Poll, pollInRound } from '../../core/voting/poll/poll.ts';
import { isFinal } from '../../core/voting/result/result.ts';
import { type PublicPart, publicPart } from '../../core/voting/result/visibility.ts';
import { pause } from '../../core/waiting/pause.ts';
import { repeat } from '../../core/waiting/repeat.ts';
import { turn } from '../../core/waiting/turn.ts';
import type { ProcessorMetrics } from '../metrics.ts';
import { Backlog } from './backlog.ts';
import { eventPoints, isShownIn, newestOf, openingPoints, roundPoints } from './series-points.ts';
import { Withheld } from './withheld.ts';

/** Maximum number of changes per partition in one read from the feed. */
const MAX_CHANGES = 256;
const READ_WAIT_MS = 500;
/** Interval in ms at which the points of the current second are written. */
const FLUSH_EVERY_MS = 500;
const RETRY_MS = { first: 1_000 } as const;
/** Maximum number of rounds cached in memory. The least recently changed rounds are evicted first. */
const MAX_ROUNDS = 256;
/** When the job is taken over, points are written for open rounds and for rounds closed within this time (ms). */
const RECENT_MS = 3_600_000;
/** Delay in ms before a closed round’s last points are written again: an earlier write that timed out may take effect late. */
const REPEAT_MS = 10_000;
/** The partition whose processor writes the points of all partitions. */
const FIRST = 0;

/** A round for which this process writes points. */
interface Followed {
  readonly poll: string;
  readonly round: number;
  /** By partition, and up to which offset each is known. */
  readonly slices: (Slice | undefined)[];
  readonly asOf: Offset[];
  isDirty: boolean;
  /** What everybody could see of the round when points were last written. */
  part: PublicPart;
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
 * and timestamps come from the vote log, so that a point can be written again. One processor does this for all partitions, because
 * points are sums. What may not be seen yet is withheld from a series that others can read.
 */
export class SeriesWriter {
  private readonly parts: SeriesWriterParts;
  private readonly backlog: Backlog;
  private readonly withheld = new Withheld();
  /** By partition; empty while another processor writes the points. */
  private readonly cursors = new Map<number, Offset>();
  private readonly rounds = new LruMap<string, Followed>();
  /** Polls that have changed, so that more of them may be seen than before. */
  private readonly changed = new Set<string>();
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
    for (const followed of this.rounds.values()) if (followed.isDirty) this.emit(followed);
    await this.backlog.close();
  }

  private readonly onPoll = (id: string): void => {
    const poll = this.parts.polls.get(id);
    if (!poll || this.cursors.size === 0) return;
    this.backlog.add(eventPoints(poll));
    if (poll.round > 0) this.changed.add(id);
  };

  private async follow(): Promise<void> {
    const { signal } = this.halt;
    if (this.cursors.size === 0) return pause(READ_WAIT_MS, signal);
    const options = { limit: MAX_CHANGES, waitMs: READ_WAIT_MS, signal };
    const { changes, gaps } = await this.parts.store.changes.read(this.cursors, options);
    // Changes are missing, so everything is read again.
    if (gaps.length > 0) return this.letGo();
    for (const change of changes) await this.apply(change);
    await this.noticeChanged();
    await this.flushRegularly();
    if (changes.length === 0) await pause(1, signal);
  }

  /** Begins to write points once the first partition is leased, and ends when it no longer is. */
  private async takeOver(): Promise<void> {
    const isOurs = this.parts.partitions().includes(FIRST);
    if (!isOurs) this.letGo();
    if (!isOurs || this.cursors.size > 0) return;
    const { store, polls } = this.parts;
    const positions = await Promise.all(
      Array.from({ length: store.log.partitions }, (_, partition) => store.counts.position(partition)),
    );
    for (const poll of polls.all().filter(isRecent)) {
      // The processor before may not have written the last points.
      this.emit(await this.known(poll.definition.poll, poll.round));
      this.backlog.add(eventPoints(poll));
    }
    // Only now, so that what has failed is tried again.
    for (const [partition, { changed }] of positions.entries()) this.cursors.set(partition, changed);
  }

  private letGo(): void {
    this.cursors.clear();
    this.rounds.clear();
  }

  private async apply({ partition, offset, slices }: CountChange): Promise<void> {
    for (const change of slices) {
      const followed = await this.known(change.poll, change.round);
      this.rounds.put(roundKey(change.poll, change.round), followed);
      // A slice that was just loaded may already include this change.
      if (compareOffsets(offset, followed.asOf[partition] as Offset) <= 0) continue;
      // The change belongs to a later second, so write the last values of the previous second first.
      if (secondOf(newestOf(followed.slices)) < secondOf(change.atMs) && followed.isDirty) this.emit(followed);
      const wasOpen = isOpen(followed);
      followed.slices[partition] = applyChange(followed.slices[partition], change);
      followed.asOf[partition] = offset;
      followed.isDirty = true;
      if (wasOpen && !isOpen(followed)) this.repeat(followed);
    }
    this.cursors.set(partition, offset);
    for (const [, evicted] of this.rounds.trim(MAX_ROUNDS)) this.emit(evicted);
  }

  private async known(poll: string, round: number): Promise<Followed> {
    const key = roundKey(poll, round);
    const known = this.rounds.get(key);
    if (known) return known;
    const { counts, log } = this.parts.store;
    const asOf: Offset[] = [];
    const slices: (Slice | undefined)[] = [];
    for (let partition = 0; partition < log.partitions; partition++) {
      asOf.push((await counts.position(partition)).offset);
      slices.push(await counts.slice(partition, poll, round));
    }
    const followed: Followed = { poll, round, slices, asOf, isDirty: true, part: 'nothing' };
    this.rounds.put(key, followed);
    const current = this.parts.polls.get(poll);
    if (current?.round === round) this.add(followed, current, openingPoints(current));
    return followed;
  }

  /** Polls that were closed, shown or hidden: their rounds may show more now, without another vote. */
  private async noticeChanged(): Promise<void> {
    for (const id of this.changed) {
      const poll = this.parts.polls.get(id);
      // If it cannot be read, it is read again with the next step.
      if (poll && poll.round > 0) await this.known(id, poll.round);
      this.changed.delete(id);
      for (const followed of this.rounds.values()) if (followed.poll === id) followed.isDirty = true;
    }
  }

  private async flushRegularly(): Promise<void> {
    if (performance.now() - this.flushedAtMs < FLUSH_EVERY_MS) return;
    this.flushedAtMs = performance.now();
    for (const followed of this.rounds.values()) {
      if (!followed.isDirty) continue;
      this.emit(followed);
      // Large tallies take milliseconds, in which no vote is acknowledged.
      await turn();
    }
  }

  private repeat(followed: Followed): void {
    const timer = setTimeout(() => {
      this.repeats.delete(timer);
      this.emit(followed);
    }, REPEAT_MS);
    this.repeats.add(timer);
  }

  private emit(followed: Followed): void {
    followed.isDirty = false;
    const poll = this.parts.polls.get(followed.poll);
    const then = poll && pollInRound(poll, followed.round);
    const slices = followed.slices.filter((slice) => slice !== undefined);
    if (then) this.add(followed, then, roundPoints(slices, then.definition));
  }

  /** Writes what may be seen of some points, and of those that were withheld before, if more may be seen now. */
  private add(followed: Followed, poll: Poll, points: readonly Point[]): void {
    const { series, metrics } = this.parts;
    if (!series.isPublic) return this.backlog.add(points);
    const part = publicPart(poll, isFinal(poll, followed.slices));
    if (part !== followed.part) this.backlog.add(this.withheld.release(followed.poll, followed.round, part));
    followed.part = part;
    this.backlog.add(points.filter((point) => isShownIn(part, point)));
    for (const point of points) {
      if (isShownIn(part, point)) continue;
      const dropped = this.withheld.hold(point);
      if (dropped > 0) metrics.seriesDropped.inc({ why: 'backlog-full' }, dropped);
    }
  }
}

const secondOf = (atMs: number): number => Math.floor(atMs / 1_000);

function isOpen({ slices }: Followed): boolean {
  return slices.some((slice) => slice?.open);
}

function isRecent({ openedAtMs, closedAtMs }: Poll): boolean {
  return openedAtMs !== undefined && (closedAtMs === undefined || Date.now() - closedAtMs < RECENT_MS);
}
