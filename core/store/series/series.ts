/** One point of a series: absolute values at an instant, so that writing it again is harmless. */
export interface Point {
  readonly measurement: 'votes' | 'ballots' | 'rejections' | 'turnout' | 'events' | 'fleet';
  /**
   * No text written by people: every distinct combination of tag values creates a separate series, so free text would create
   * too many.
   */
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, number | string>>;
  /** In ms since 1970. */
  readonly atMs: number;
}

/** Equal for points that stand for the same value, so that the newer replaces the older one. */
export function pointKey({ measurement, tags, atMs }: Point): string {
  return `${measurement} ${Object.values(tags).join('/')} ${atMs}`;
}

/** One value of a round at an instant: votes received, or ballots for an option. */
export interface Sample {
  readonly atMs: number;
  /** Empty for the sum of all partitions; earlier versions wrote each of them. */
  readonly partition: string;
  /** Absent for votes received. */
  readonly option?: string | undefined;
  readonly value: number;
}

/** A time span, divided into equal steps. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
}

/** The database refused points, and would refuse them again. */
export class PointsRefused extends Error {
  override readonly name = 'PointsRefused';
  /** About how many were refused, if the others of the same write are stored; undefined if none are. */
  readonly refused: number | undefined;

  constructor(message: string, refused?: number) {
    super(message);
    this.refused = refused;
  }
}

/** The time series of rounds, for graphs. Counts never depend on it: if points are lost, only the graphs have gaps. */
export interface Series {
  /**
   * True if people who are no operators may read it (in InfluxDB, by Grafana), so that it must have no more than what everybody may
   * see.
   */
  readonly isPublic?: boolean;
  close(): Promise<void>;
  /** Writes points. @throws PointsRefused if they can never be written; after other errors, the write may be tried again */
  write(points: readonly Point[]): Promise<void>;
  /** The samples of a round in a window: only the last sample for each step, partition and option. */
  samples(poll: string, round: number, window: Window): Promise<Sample[]>;
}
