import type { Sample, Window } from './series.ts';

/** The state of a round at an instant. */
export interface TimelinePoint {
  /** The instant, in UTC: the end of a step of the window. */
  readonly at: string;
  /** Votes received since the round was opened. */
  readonly votes: number;
  /** Counted ballots, by option. */
  readonly ballots: Readonly<Record<string, number>>;
}

/** Stands in a sample for all partitions. */
const ALL = '';
/** The maximum number of steps in a timeline. */
const MAX_STEPS = 600;

/** A window that contains both instants, divided into a limited number of equal steps of whole seconds. */
export function windowOf(fromMs: number, toMs: number): Window {
  const seconds = Math.max(1, Math.ceil((toMs - fromMs) / 1_000));
  const stepMs = Math.ceil(seconds / MAX_STEPS) * 1_000;
  const startMs = Math.floor(fromMs / stepMs) * stepMs;
  return { fromMs: startMs, toMs: startMs + Math.ceil((toMs + 1 - startMs) / stepMs) * stepMs, stepMs };
}

/**
 * Combines samples into one point per step: a step without a value keeps the previous value. Where earlier versions wrote a value
 * for each partition, these are summed until there is one for all of them.
 */
export function timelineOf(samples: readonly Sample[], { fromMs, toMs, stepMs }: Window): TimelinePoint[] {
  const steps = new Map<number, Sample[]>();
  for (const sample of samples) {
    const step = Math.floor((sample.atMs - fromMs) / stepMs);
    const known = steps.get(step);
    if (known) known.push(sample);
    else steps.set(step, [sample]);
  }
  /** By option, then by partition. */
  const latest = new Map<string, Map<string, Sample>>();
  const points: TimelinePoint[] = [];
  for (let step = 0; fromMs + step * stepMs < toMs; step++) {
    for (const sample of steps.get(step) ?? []) {
      const option = sample.option ?? '';
      const known = latest.get(option);
      if (!known || sample.partition === ALL) latest.set(option, new Map([[sample.partition, sample]]));
      else if (!known.has(ALL)) known.set(sample.partition, sample);
    }
    let votes = 0;
    // A Map, because option keys may be names of built-in object properties.
    const ballots = new Map<string, number>();
    for (const [option, samples] of latest) {
      let sum = 0;
      for (const { value } of samples.values()) sum += value;
      if (option === '') votes = sum;
      else ballots.set(option, sum);
    }
    points.push({
      at: new Date(fromMs + (step + 1) * stepMs).toISOString(),
      votes,
      ballots: Object.fromEntries(ballots),
    });
  }
  return points;
}
