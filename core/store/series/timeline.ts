import type { Sample, Window } from './series.ts';

/** How a round stood at an instant. */
export interface TimelinePoint {
  /** The end of the step, UTC. */
  readonly at: string;
  /** Votes received since the round was opened. */
  readonly votes: number;
  /** Ballots that counted, by option. */
  readonly ballots: Readonly<Record<string, number>>;
}

/** Steps of a timeline, at most. */
const MAX_STEPS = 600;

/** The window that shows from one instant to another in whole seconds and not too many steps. */
export function windowOf(fromMs: number, toMs: number): Window {
  const seconds = Math.max(1, Math.ceil((toMs - fromMs) / 1_000));
  const stepMs = Math.ceil(seconds / MAX_STEPS) * 1_000;
  const startMs = Math.floor(fromMs / stepMs) * stepMs;
  return { fromMs: startMs, toMs: startMs + Math.ceil((toMs + 1 - startMs) / stepMs) * stepMs, stepMs };
}

/** Puts samples together: partitions are summed, and where a step has no value the one before holds. */
export function timelineOf(samples: readonly Sample[], { fromMs, toMs, stepMs }: Window): TimelinePoint[] {
  const steps = new Map<number, Sample[]>();
  for (const sample of samples) {
    const step = Math.floor((sample.atMs - fromMs) / stepMs);
    const known = steps.get(step);
    if (known) known.push(sample);
    else steps.set(step, [sample]);
  }
  const standing = new Map<string, Sample>();
  const points: TimelinePoint[] = [];
  for (let step = 0; fromMs + step * stepMs < toMs; step++) {
    for (const sample of steps.get(step) ?? []) standing.set(`${sample.partition}/${sample.option ?? ''}`, sample);
    let votes = 0;
    // Keys of options may be names that objects have of themselves.
    const ballots = new Map<string, number>();
    for (const { option, value } of standing.values()) {
      if (option === undefined) votes += value;
      else ballots.set(option, (ballots.get(option) ?? 0) + value);
    }
    points.push({
      at: new Date(fromMs + (step + 1) * stepMs).toISOString(),
      votes,
      ballots: Object.fromEntries(ballots),
    });
  }
  return points;
}
