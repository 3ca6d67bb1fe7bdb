/** The least and the most time in ms between two turns of one feed; frames may be closer to each other, see `EARLY`. */
export const FRAME_MS = { least: 25, most: 5_000 } as const;

/**
 * How long a feed rests, as a multiple of the time that the last frame took. Reading a result may take long, and holds up
 * everything else in the process meanwhile, so it rests longer than sending.
 */
const REST = { read: 5, send: 1.5 } as const;

/**
 * A frame may be so much earlier than its turn, as a share of the time between two frames, and the next one is so much later for it. So
 * most frames show what has just changed, and the change after it does not wait for almost two turns. Two frames may thus be only 12.5 ms
 * apart, but there are no more of them than turns.
 */
const EARLY = 0.5;

/** The least share of the event loop that streams may count on, even if other work needs all of it. */
const LEAST_ROOM = 0.1;

/** Larger frames follow each other more slowly, so that a viewer gets at most so many bytes per ms … */
const BYTES_PER_MS = 32;
/** … but because of their size alone, never more slowly than this (ms). */
const CALM_MS = 100;

/** What a frame cost: how long (ms) its result took to read, and the frame to encode and send, and its size for one viewer. */
export interface FrameCost {
  readonly readMs: number;
  readonly sendMs: number;
  readonly bytes: number;
}

/**
 * Finds out how soon frames may follow each other: as fast as screens can use them while there is room, and more slowly the
 * more they cost and the less room the other work of the process leaves.
 */
export class Pace {
  private usage = performance.eventLoopUtilization();
  private interval: number = FRAME_MS.least;
  /** Whose turn the last frame was (ms): it began no later than then. */
  private turnMs = Number.NEGATIVE_INFINITY;

  /** How long (ms) a change waits for its frame; 0 if it need not. */
  waitMs(nowMs: number): number {
    const nextMs = this.turnMs + this.interval;
    return nowMs >= nextMs - EARLY * this.interval ? 0 : nextMs - nowMs;
  }

  /** Call when a frame begins. */
  begin(nowMs: number): void {
    this.turnMs = Math.max(nowMs, Math.min(this.turnMs + this.interval, nowMs + EARLY * this.interval));
  }

  /** Call after each frame. */
  note(cost: FrameCost): void {
    const now = performance.eventLoopUtilization();
    const { active, idle } = performance.eventLoopUtilization(now, this.usage);
    this.usage = now;
    const otherMs = Math.max(0, active - cost.readMs - cost.sendMs);
    this.interval = intervalOf(cost, active + idle === 0 ? 0 : otherMs / (active + idle));
  }
}

/** The time in ms from one frame to the next. @param busy the share of the event loop that other work takes, 0 to 1 */
export function intervalOf({ readMs, sendMs, bytes }: FrameCost, busy: number): number {
  const room = Math.max(LEAST_ROOM, 1 - busy);
  const restMs = (REST.read * readMs + REST.send * sendMs) / room;
  const calmMs = Math.min(CALM_MS, bytes / BYTES_PER_MS);
  return Math.min(FRAME_MS.most, Math.max(FRAME_MS.least, restMs, calmMs));
}
