import { build, type Histogram } from 'hdr-histogram-js';

/** Percentiles of a latency, in ms. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Records latencies with microsecond resolution. */
export class Latency {
  private readonly histogram: Histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: 3_600_000_000 });

  record(ms: number): void {
    this.histogram.recordValue(Math.max(1, Math.round(ms * 1000)));
  }

  get percentiles(): Percentiles {
    const at = (percentile: number) => this.histogram.getValueAtPercentile(percentile) / 1000;
    const { totalCount: count } = this.histogram;
    return { count, p50: at(50), p90: at(90), p99: at(99), max: count === 0 ? 0 : this.histogram.maxValue / 1000 };
  }
}

/**
 * The latency from vote to screen. The k-th acknowledged vote is considered to be shown when the stream first reports at least
 * k votes. The measurement is valid only if nobody else votes.
 */
export class ScreenLatency {
  private readonly latency = new Latency();
  private readonly sentAt: number[] = [];
  private readonly baseline: number;
  private shown = 0;

  /** @param baseline votes received before the simulation */
  constructor(baseline: number) {
    this.baseline = baseline;
  }

  acknowledged(sentAtMs: number): void {
    this.sentAt.push(sentAtMs);
  }

  seen(votes: number, atMs: number): void {
    const ours = Math.min(votes - this.baseline, this.sentAt.length);
    for (; this.shown < ours; this.shown++)
      this.latency.record(Math.max(0, atMs - (this.sentAt[this.shown] as number)));
  }

  get percentiles(): Percentiles {
    return this.latency.percentiles;
  }
}
