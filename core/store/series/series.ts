/** One point of a series: absolute values at an instant, so that writing it again is harmless. */
export interface Point {
  readonly measurement: 'votes' | 'ballots' | 'rejections' | 'turnout' | 'events' | 'fleet';
  /** Ids only, never text of people: each combination is a series of its own. */
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, number | string>>;
  /** ms since 1970. */
  readonly atMs: number;
}

/** One value of a round at an instant: votes received, or ballots of an option, in one partition. */
export interface Sample {
  readonly atMs: number;
  readonly partition: string;
  /** Absent: votes received. */
  readonly option?: string | undefined;
  readonly value: number;
}

/** A span of time in equal steps. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
}

/** The points were refused for good: trying again would not help. */
export class PointsRefused extends Error {
  override readonly name = 'PointsRefused';
}

/**
 * Where the course of rounds is kept, for graphs. Never part of a count: what is lost here is lost to graphs alone.
 */
export interface Series {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Writes points. @throws PointsRefused when they can never be written; anything else may be tried again */
  write(points: readonly Point[]): Promise<void>;
  /** What is known of a round in a window: for each step, partition and option at most one value, the last. */
  samples(poll: string, round: number, window: Window): Promise<Sample[]>;
}
