import type { Log } from '../core/runtime/log.ts';
import { pause } from '../core/runtime/pause.ts';
import { type Point, PointsRefused, type Series } from '../core/store/series/series.ts';
import type { ProcessorMetrics } from './metrics.ts';

/** Points that wait, at most; the oldest go first when there are more. An hour of ten options in eight partitions. */
const MAX_POINTS = 300_000;
/** Points in one write. */
const MAX_WRITTEN = 5_000;
/** How long points gather before they are written, ms. */
const GATHER_MS = 500;
/** Pause after a write that failed: doubles from the first to the second, with jitter, ms. */
const RETRY_MS = { first: 500, most: 30_000 } as const;
/** How long stopping waits for the last write, ms. */
const STOP_LIMIT_MS = 2_000;

/**
 * Points on their way to the series. Of the same point only the newest value is kept, one write is under way at a time,
 * and a database that is away, slow or full costs memory up to a limit and nothing else.
 */
export class Backlog {
  private readonly series: Series;
  private readonly log: Log;
  private readonly metrics: ProcessorMetrics;
  private readonly points = new Map<string, Point>();
  private readonly halt = new AbortController();
  private loop: Promise<void> | undefined;
  private isTold = false;

  constructor(series: Series, log: Log, metrics: ProcessorMetrics) {
    this.series = series;
    this.log = log;
    this.metrics = metrics;
  }

  start(): void {
    this.loop = this.run();
  }

  /** Writes what is left, if that can be done soon. */
  async stop(): Promise<void> {
    this.halt.abort();
    const rest = async () => {
      await this.loop;
      while (this.points.size > 0) await this.writeSome();
    };
    await Promise.race([rest().catch(() => {}), pause(STOP_LIMIT_MS)]);
  }

  add(points: readonly Point[]): void {
    for (const point of points) {
      const key = keyOf(point);
      // To the end: the oldest waits longest.
      this.points.delete(key);
      this.points.set(key, point);
    }
    for (const key of this.points.keys()) {
      if (this.points.size <= MAX_POINTS) break;
      this.points.delete(key);
      this.metrics.seriesDropped.inc({ why: 'backlog-full' });
    }
    this.metrics.seriesBacklog.set(this.points.size);
  }

  private async run(): Promise<void> {
    const { signal } = this.halt;
    let retryMs: number = RETRY_MS.first;
    while (!signal.aborted) {
      await pause(this.points.size < MAX_WRITTEN ? GATHER_MS : 0, signal);
      if (signal.aborted) return;
      try {
        await this.writeSome();
        retryMs = RETRY_MS.first;
        if (this.isTold) this.log.info('the series is written again');
        this.isTold = false;
      } catch (error) {
        const waiting = this.points.size;
        if (!this.isTold) this.log.warn({ err: error, waiting }, 'the series cannot be written; votes go on');
        this.isTold = true;
        await pause(retryMs * (0.75 + Math.random() / 2), signal);
        retryMs = Math.min(retryMs * 2, RETRY_MS.most);
      }
    }
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
    // What got a newer value meanwhile stays.
    for (const [key, point] of some) if (this.points.get(key) === point) this.points.delete(key);
    this.metrics.seriesBacklog.set(this.points.size);
  }

  /** Writes points; what is refused for good is given up, the good ones among them are written. */
  private async write(points: readonly Point[]): Promise<void> {
    try {
      await this.series.write(points);
      this.metrics.seriesWritten.inc(points.length);
    } catch (error) {
      if (!(error instanceof PointsRefused)) throw error;
      if (points.length === 1) {
        this.metrics.seriesDropped.inc({ why: 'refused' });
        this.log.error({ err: error, point: points[0] }, 'the database refuses this point; given up');
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
