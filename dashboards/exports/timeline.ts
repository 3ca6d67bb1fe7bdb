import { Refusal } from '../../core/runtime/refusal.ts';
import type { Series } from '../../core/store/series/series.ts';
import { timelineOf, windowOf } from '../../core/store/series/timeline.ts';
import { roundKey } from '../../core/voting/count/slice.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';

type Timeline = Awaited<ReturnType<typeof timeline>>;

/** Timelines are cached for this many ms, so that screens in the same hall share one read. */
const GOOD_FOR_MS = 2_000;

/** Reads timelines. Requests for the same round share a read that is pending or has just completed. */
export class Timelines {
  private readonly series: Series | undefined;
  private readonly reading = new Map<string, Promise<Timeline>>();

  /** @param series undefined if no time series are recorded; in that case, every read is refused */
  constructor(series: Series | undefined) {
    this.series = series;
  }

  /** @throws Refusal no-series, series-away */
  read(poll: Poll): Promise<Timeline> {
    if (!this.series) {
      throw new Refusal('no-series', 'no time series are recorded; set POLLCAST_INFLUX_URL to record them');
    }
    const key = roundKey(poll.definition.poll, poll.round);
    const pending = this.reading.get(key);
    if (pending) return pending;
    const reading = timeline(this.series, poll).catch((error) => {
      throw new Refusal(
        'series-away',
        `the time series cannot be read at the moment (${error.message}); votes are not affected`,
      );
    });
    const forget = () => void this.reading.delete(key);
    reading.then(() => setTimeout(forget, GOOD_FOR_MS).unref(), forget);
    this.reading.set(key, reading);
    return reading;
  }
}

/** How votes arrived over the course of the poll’s round. */
async function timeline(series: Series, { definition, round, openedAtMs, closedAtMs }: Poll) {
  // If the clock was set back, the round may seem to end before it began.
  const fromMs = openedAtMs ?? Date.now();
  const window = windowOf(fromMs, Math.max(fromMs, closedAtMs ?? Date.now()));
  const samples = openedAtMs === undefined ? [] : await series.samples(definition.poll, round, window);
  return { stepMs: window.stepMs, points: openedAtMs === undefined ? [] : timelineOf(samples, window) };
}
