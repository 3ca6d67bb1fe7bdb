import type { Log } from '../../core/runtime/log.ts';
import { LruMap } from '../../core/runtime/lru-map.ts';
import { type Point, PointsRefused, type Series } from '../../core/store/series/series.ts';
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
    for (const point of points) this.points.put(keyOf(point), point);
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

  /** Writes points. Points that the database rejects are dropped; the rest are still written. */
  private async write(points: readonly Point[]): Promise<void> {
    try {
      await this.series.write(points);
      this.metrics.seriesWritten.inc(points.length);
    } catch (error) {
      if (!(error instanceof PointsRefused)) throw error;
      if (points.length === 1) {
        this.metrics.seriesDropped.inc({ why: 'refused' });
        this.log.error({ err: error, point: points[0] }, 'the database rejected this point; it was dropped');
        return;
      }
      const half = points.length >> 1;
      await this.write(points.slice(0, half));
      await this.write(points.slice(half));
    }
  }
}

function keyOf({ measurement, tags, atMs }: Point): string {
  return `${measurement} ${Object.values(tags).join('/')} ${atMs}`;
}
