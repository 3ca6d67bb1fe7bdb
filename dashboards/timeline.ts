import type { Series } from '../core/store/series/series.ts';
import { timelineOf, windowOf } from '../core/store/series/timeline.ts';
import type { Poll } from '../core/voting/poll.ts';
import { roundKey } from '../core/voting/slice.ts';
import { Problem } from './problem.ts';

type Timeline = Awaited<ReturnType<typeof timeline>>;

/** How long a timeline that was read is good enough, ms: a hall full of screens asks once. */
const GOOD_FOR_MS = 2_000;

/** Reads timelines, one reading at a time for each round: who asks meanwhile, or soon after, gets the same answer. */
export class Timelines {
  private readonly series: Series | undefined;
  private readonly reading = new Map<string, Promise<Timeline>>();

  /** @param series where rounds' courses are kept; without one there are no timelines */
  constructor(series: Series | undefined) {
    this.series = series;
  }

  /** @throws Problem 404 without a series, 503 when it does not answer */
  read(poll: Poll): Promise<Timeline> {
    if (!this.series) {
      throw new Problem(404, 'no-series', 'no time series are kept here; set POLLCAST_INFLUX_URL to keep them');
    }
    const key = roundKey(poll.definition.poll, poll.round);
    const under = this.reading.get(key);
    if (under) return under;
    const reading = timeline(this.series, poll).catch((error) => {
      throw new Problem(503, 'series-away', `the time series cannot be read now (${error.message}); votes go on`);
    });
    const forget = () => void this.reading.delete(key);
    reading.then(() => setTimeout(forget, GOOD_FOR_MS).unref(), forget);
    this.reading.set(key, reading);
    return reading;
  }
}

/** How the poll's current round stood, from its opening on. */
async function timeline(series: Series, { definition, round, openedAtMs, closedAtMs }: Poll) {
  const window = windowOf(openedAtMs ?? Date.now(), closedAtMs ?? Date.now());
  const samples = openedAtMs === undefined ? [] : await series.samples(definition.poll, round, window);
  return { stepMs: window.stepMs, points: openedAtMs === undefined ? [] : timelineOf(samples, window) };
}
