import type { Result } from '../../core/voting/result/result.ts';
import { deltaOf, hasSameOptions } from './delta.ts';
import { eventFrame } from './frame.ts';
import type { Viewer } from './viewer.ts';

/** The minimum interval in ms between two updates of one poll. */
export const FRAME_EVERY_MS = 100;

/** The minimum interval between the starts of two reads, as a multiple of the time that the last read took. */
const REST = 5;

/** Delay in ms before a failed read is retried. */
const RETRY_MS = 1_000;

/** Reads the current result, reduced to what the feed’s audience may see; undefined if the poll no longer exists. */
export type ReadResult = () => Promise<Result | undefined>;

/**
 * The result stream of one poll for one audience. Each frame is encoded once and sent to all viewers. A viewer that joins
 * gets the result that the other viewers already have, so that the next delta applies to all of them.
 */
export class Feed {
  private readonly read: ReadResult;
  private readonly viewers = new Set<Viewer>();
  /** The number of viewers waiting for their first result. */
  private joining = 0;
  private shown: Result | undefined;
  private first: Promise<void> | undefined;
  private sequence = 0;
  private timer: NodeJS.Timeout | undefined;
  private sentAtMs = 0;
  private tookMs = 0;
  private isWorking = false;
  private isDirty = false;

  constructor(read: ReadResult) {
    this.read = read;
  }

  get size(): number {
    return this.viewers.size + this.joining;
  }

  /** Adds a viewer and sends it a snapshot. */
  async join(viewer: Viewer): Promise<void> {
    this.joining++;
    try {
      if (this.viewers.size === 0) await (this.first ??= this.begin());
    } finally {
      this.joining--;
    }
    if (viewer.isClosed) return;
    this.viewers.add(viewer);
    viewer.send(this.snapshot(), this.snapshot);
    if (this.isDirty) this.touch();
  }

  leave(viewer: Viewer): void {
    this.viewers.delete(viewer);
    if (this.viewers.size > 0) return;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Call when the result may have changed. Viewers are updated now, or once the minimum interval has passed. */
  touch(): void {
    if (this.size === 0) return;
    this.isDirty = true;
    // If all viewers are still joining, `join` calls this again after their first result.
    if (this.viewers.size === 0) return;
    if (this.timer || this.isWorking) return;
    // If a result is slow to read, it is read less often.
    const everyMs = Math.max(FRAME_EVERY_MS, REST * this.tookMs);
    const waitMs = Math.max(0, this.sentAtMs + everyMs - Date.now());
    this.timer = setTimeout(() => void this.flush(), waitMs);
  }

  close(): void {
    clearTimeout(this.timer);
    for (const viewer of this.viewers) viewer.end();
    this.viewers.clear();
  }

  /** Reads the result for the first viewer. The result shown to earlier viewers, who have left, may be out of date. */
  private async begin(): Promise<void> {
    this.shown = undefined;
    await this.show();
    this.first = undefined;
  }

  private async flush(): Promise<void> {
    this.timer = undefined;
    this.isDirty = false;
    this.isWorking = true;
    this.sentAtMs = Date.now();
    try {
      await this.show();
    } finally {
      this.isWorking = false;
      if (this.isDirty) this.touch();
    }
  }

  /** Reads the result and sends what changed. If it cannot be read, schedules another attempt. */
  private async show(): Promise<void> {
    const before = this.shown;
    const startMs = performance.now();
    const after = await this.read().catch(() => null);
    this.tookMs = performance.now() - startMs;
    if (after === null) this.tryAgain();
    if (!after) return;
    this.shown = after;
    // Viewers that joined while the result could not be read have not received anything yet.
    if (!before) return this.send('result', after);
    const delta = deltaOf(before, after);
    if (!delta) return;
    this.sequence++;
    const isNewRound = after.round !== before.round || before.hidden !== after.hidden;
    if (after.status !== before.status)
      this.send('status', { poll: after.poll, round: after.round, status: after.status });
    if (isNewRound || !hasSameOptions(before, after)) this.send('result', after);
    else this.send('change', delta);
    if (after.final && !before.final) this.send('final', after);
  }

  private tryAgain(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), RETRY_MS);
  }

  private send(event: string, data: unknown): void {
    const frame = eventFrame(event, this.id, data);
    for (const viewer of this.viewers) viewer.send(frame, this.snapshot);
  }

  /** The latest result in one frame, for viewers that join or have missed frames. */
  private readonly snapshot = (): Buffer => {
    if (!this.shown) return Buffer.alloc(0);
    return eventFrame('result', this.id, this.shown);
  };

  private get id(): string {
    return `${this.shown?.round ?? 0}-${this.sequence}`;
  }
}
