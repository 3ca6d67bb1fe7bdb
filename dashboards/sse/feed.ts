import type { Result } from '../../core/voting/result/result.ts';
import { compactChange } from './compact.ts';
import { deltaOf, hasSameOptions } from './delta.ts';
import { eventFrame, type Frame } from './frame.ts';
import { Pace } from './pace.ts';
import type { Viewer } from './viewer.ts';

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
  private readonly pace = new Pace();
  private shown: Result | undefined;
  /** `shown` in one frame. */
  private whole: Frame | undefined;
  private first: Promise<void> | undefined;
  private sequence = 0;
  private timer: NodeJS.Timeout | undefined;
  private sentAtMs = -Infinity;
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
    const whole = this.snapshot();
    if (whole) viewer.send(whole, this.snapshot);
    if (this.isDirty) this.touch();
  }

  leave(viewer: Viewer): void {
    this.viewers.delete(viewer);
    viewer.forget(this.snapshot);
    if (this.viewers.size > 0) return;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Call when the result may have changed. Viewers are updated now, or once they may be again. */
  touch(): void {
    if (this.size === 0) return;
    this.isDirty = true;
    // If all viewers are still joining, `join` calls this again after their first result.
    if (this.viewers.size === 0) return;
    if (this.timer || this.isWorking) return;
    const waitMs = Math.max(0, this.sentAtMs + this.pace.everyMs - performance.now());
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
    this.whole = undefined;
    await this.show();
    this.first = undefined;
  }

  private async flush(): Promise<void> {
    this.timer = undefined;
    this.isDirty = false;
    this.isWorking = true;
    this.sentAtMs = performance.now();
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
    const readAtMs = performance.now();
    if (after === null) this.tryAgain();
    if (!after) return;
    this.shown = after;
    const bytes = this.sendAll(before, after);
    this.pace.note({ readMs: readAtMs - startMs, sendMs: performance.now() - readAtMs, bytes });
  }

  /** Sends what has changed to all viewers. @returns the bytes per viewer */
  private sendAll(before: Result | undefined, after: Result): number {
    this.whole = undefined;
    // Viewers that joined while the result could not be read have not received anything yet.
    if (!before) return this.send(this.frame('result', after));
    const delta = deltaOf(before, after);
    if (!delta) return 0;
    this.sequence++;
    const isNewRound = after.round !== before.round || before.hidden !== after.hidden;
    const { poll, round, status } = after;
    let bytes = 0;
    if (status !== before.status) bytes += this.send(this.frame('status', { poll, round, status }));
    if (isNewRound || !hasSameOptions(before, after)) bytes += this.send(this.frame('result', after));
    else bytes += this.send(eventFrame('change', this.id, delta, () => compactChange(before, after, delta)));
    // Also if the round that was final has been followed by one that is final already.
    if (after.final && (!before.final || after.round !== before.round)) bytes += this.send(this.frame('final', after));
    return bytes;
  }

  private tryAgain(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), RETRY_MS);
  }

  /** @returns the bytes per viewer, of the largest form that a viewer has */
  private send(frame: Frame): number {
    let most = 0;
    for (const viewer of this.viewers) most = Math.max(most, viewer.send(frame, this.snapshot));
    return most;
  }

  private frame(event: string, data: unknown): Frame {
    return eventFrame(event, this.id, data);
  }

  /** The latest result in one frame, for viewers that join or have missed frames. */
  private readonly snapshot = (): Frame | undefined => {
    if (this.shown) this.whole ??= this.frame('result', this.shown);
    return this.whole;
  };

  private get id(): string {
    return `${this.shown?.round ?? 0}-${this.sequence}`;
  }
}
