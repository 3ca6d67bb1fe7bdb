import type { Log } from '../../core/runtime/log.ts';
import { LruMap } from '../../core/runtime/lru-map.ts';
import { type Point, PointsRefused, pointKey, type Series } from '../../core/store/series/series.ts';
import { withinOr } from '../../core/waiting/deadline.ts';
import { pause } from '../../core/waiting/pause.ts';
import { repeat } from '../../core/waiting/repeat.ts';
import type { ProcessorMetrics } from '../metrics.ts';

/** Maximum number of waiting points; the oldest are dropped first. It is enough for an hour of 10 options in 8 partitions. */
const MAX_POINTS = 300_000;
/** Maximum number of points in one write. */
const MAX_WRITTEN = 5_000;
/** Time in ms for which points accumulate before they are written. */
const GATHER_MS = 500;
/** Pause in ms after a failed write. It doubles from `first` up to `most`. */
const RETRY_MS = { first: 500, most: 30_000 } as const;
const MINUTE_MS = 60_000;
/** How often per minute a refused batch is split, to save the points in it that are right. It is enough to find one of 5,000. */
const MAX_SPLITS = 16;
/** Time limit in ms for the last writes when closing. */
const STOP_LIMIT_MS = 2_000;

/**
 * Points waiting to be written to the series. Only the newest value of each point is kept, and only one write runs at a time.
 * If the database is unreachable, slow or full, this costs a limited amount of memory and has no other effect.
 */
export class Backlog {
  private readonly series: Series;
  private readonly log: Log;
  private readonly metrics: ProcessorMetrics;
  private readonly points = new LruMap<string, Point>();
  private readonly halt = new AbortController();
  private writing = Promise.resolve();
  private splits = 0;
  private splitsSinceMs = 0;
  /** Refused points that no log line has named yet, and when the last line was written. */
  private unreported = 0;
  private reportedAtMs = Number.NEGATIVE_INFINITY;

  private constructor(series: Series, log: Log, metrics: ProcessorMetrics) {
    this.series = series;
    this.log = log;
    this.metrics = metrics;
  }

  /** Starts writing points as they are added. */
  static open(series: Series, log: Log, metrics: ProcessorMetrics): Backlog {
    const backlog = new Backlog(series, log, metrics);
    const { signal } = backlog.halt;
    const step = async () => {
      await pause(backlog.points.size < MAX_WRITTEN ? GATHER_MS : 0, signal);
      if (!signal.aborted) await backlog.writeSome();
    };
    const failureMessage = 'cannot write time series; votes are not affected';
    backlog.writing = repeat(step, {
      signal,
      retryMs: RETRY_MS,
      log,
      failureMessage,
      recovered: 'writing time series again',
    });
    return backlog;
  }

  /** Tries to write the remaining points, for a limited time. */
  async close(): Promise<void> {
    this.halt.abort();
    const rest = async () => {
      await this.writing;
      while (this.points.size > 0) await this.writeSome();
    };
    await withinOr(
      STOP_LIMIT_MS,
      rest().catch(() => {}),
      undefined,
    );
  }

  add(points: readonly Point[]): void {
    for (const point of points) this.points.put(pointKey(point), point);
    const dropped = this.points.trim(MAX_POINTS);
    if (dropped.length > 0) this.metrics.seriesDropped.inc({ why: 'backlog-full' }, dropped.length);
    this.metrics.seriesBacklog.set(this.points.size);
  }

  private async writeSome(): Promise<void> {
    const some = [...this.points].slice(0, MAX_WRITTEN);
    if (some.length === 0) return;
    const startMs = performance.now();
    try {
      await this.write(some.map(([, point]) => point));
    } finally {
      this.metrics.seriesSeconds.observe((performance.now() - startMs) / 1_000);
    }
    // Keep points that got a newer value during the write.
    for (const [key, point] of some) if (this.points.get(key) === point) this.points.delete(key);
    this.metrics.seriesBacklog.set(this.points.size);
  }

  /**
   * Writes points. Points that the database rejects are dropped; the rest are still written. If a whole batch is refused, halves
   * of it are tried, but only so many times a minute.
   */
  private async write(points: readonly Point[]): Promise<void> {
    try {
      await this.series.write(points);
      this.metrics.seriesWritten.inc(points.length);
    } catch (error) {
      if (!(error instanceof PointsRefused)) throw error;
      const { refused, message } = error;
      if (refused !== undefined) {
        const dropped = Math.min(refused, points.length);
        this.metrics.seriesWritten.inc(points.length - dropped);
        this.drop(dropped, message);
      } else if (points.length === 1 || !this.maySplit()) this.drop(points.length, message);
      else {
        const half = points.length >> 1;
        await this.write(points.slice(0, half));
        await this.write(points.slice(half));
      }
    }
  }

  private maySplit(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.splitsSinceMs > MINUTE_MS) {
      this.splits = 0;
      this.splitsSinceMs = nowMs;
    }
    return this.splits++ < MAX_SPLITS;
  }

  /** Counts points that were refused; says so at most once a minute. */
  private drop(points: number, why: string): void {
    this.metrics.seriesDropped.inc({ why: 'refused' }, points);
    this.unreported += points;
    if (performance.now() - this.reportedAtMs < MINUTE_MS) return;
    this.log.error({ points: this.unreported, why }, 'the time series refused points; they were dropped');
    this.unreported = 0;
    this.reportedAtMs = performance.now();
  }
}
