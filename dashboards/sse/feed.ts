import type { Result } from '../../core/voting/result/result.ts';
import type { Spells } from '../../core/waiting/spells.ts';
import { compactChange } from './compact.ts';
import { deltaOf, hasSameOptions } from './delta.ts';
import { eventFrame, type Frame } from './frame.ts';
import { type FrameCost, Pace } from './pace.ts';
import type { Newest, Viewer } from './viewer.ts';

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
  private readonly spells: Spells;
  private readonly viewers = new Set<Viewer>();
  /** The number of viewers waiting for their first result. */
  private joining = 0;
  private readonly pace = new Pace();
  private shown: Result | undefined;
  /** `shown` in one frame. */
  private whole: Frame | undefined;
  /** Viewers that have not got the frames yet that are being sent. */
  private pending = new Set<Viewer>();
  /** The read of the result for viewers that join a feed without any; there is none once the last of them has joined. */
  private first: Promise<void> | undefined;
  private sequence = 0;
  private timer: NodeJS.Timeout | undefined;
  private isWorking = false;
  /** True while a failed read waits to be retried. */
  private isRetrying = false;
  private isDirty = false;

  /** @param spells shared by all feeds, so that together they do not delay an acknowledgement */
  constructor(read: ReadResult, spells: Spells) {
    this.read = read;
    this.spells = spells;
  }

  get size(): number {
    return this.viewers.size + this.joining;
  }

  /** Adds a viewer and sends it a snapshot. @returns undefined if that is done, and not only once the result has been read */
  join(viewer: Viewer): Promise<void> | undefined {
    if (this.viewers.size === 0) return this.joinFirst(viewer);
    this.add(viewer);
    return undefined;
  }

  private async joinFirst(viewer: Viewer): Promise<void> {
    this.joining++;
    try {
      await (this.first ??= this.begin());
      // A whole hall may have waited for it.
      await this.spells.do(this.adding(viewer));
    } finally {
      this.joining--;
      if (this.joining === 0) this.first = undefined;
    }
  }

  private *adding(viewer: Viewer): Generator<void> {
    yield this.add(viewer);
  }

  private add(viewer: Viewer): void {
    if (viewer.isClosed) return;
    this.viewers.add(viewer);
    if (this.whole) viewer.send(this.whole, this.snapshot);
    if (this.isDirty) this.touch();
  }

  leave(viewer: Viewer): void {
    this.viewers.delete(viewer);
    this.pending.delete(viewer);
    viewer.forget(this.snapshot);
    if (this.viewers.size === 0) this.clear();
  }

  /** Call when the result may have changed. Viewers are updated now, or once they may be again. */
  touch(): void {
    if (this.size === 0) return;
    this.isDirty = true;
    // If all viewers are still joining, `join` calls this again after their first result.
    if (this.viewers.size === 0 || this.isWorking || this.isRetrying) return;
    const waitMs = this.pace.waitMs(performance.now());
    if (waitMs === 0) void this.flush();
    else this.timer ??= setTimeout(() => void this.flush(), waitMs);
  }

  close(): void {
    this.clear();
    for (const viewer of this.viewers) viewer.end();
    this.viewers.clear();
    this.pending.clear();
  }

  /** Reads the result for the first viewer. The result shown to earlier viewers, who have left, may be out of date. */
  private async begin(): Promise<void> {
    this.shown = undefined;
    this.whole = undefined;
    await this.show();
  }

  private async flush(): Promise<void> {
    this.clear();
    this.isDirty = false;
    this.isWorking = true;
    this.pace.begin(performance.now());
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
    const frames = this.framesOf(before, after);
    this.whole = this.frame('result', after);
    const sent = await this.sendAll(frames);
    this.pace.note({ readMs: readAtMs - startMs, ...sent });
  }

  /** The frames for viewers that have the result from before. */
  private framesOf(before: Result | undefined, after: Result): Frame[] {
    // Viewers that joined while the result could not be read have not received anything yet.
    if (!before) return [this.frame('result', after)];
    const delta = deltaOf(before, after);
    if (!delta) return [];
    this.sequence++;
    const isNewRound = after.round !== before.round || before.hidden !== after.hidden;
    const { poll, round, status } = after;
    const frames: Frame[] = [];
    if (status !== before.status) frames.push(this.frame('status', { poll, round, status }));
    if (isNewRound || !hasSameOptions(before, after)) frames.push(this.frame('result', after));
    else frames.push(eventFrame('change', this.id, delta, () => compactChange(before, after, delta)));
    // Also if the round that was final has been followed by one that is final already.
    if (after.final && (!before.final || after.round !== before.round)) frames.push(this.frame('final', after));
    return frames;
  }

  /**
   * Sends frames to all viewers.
   *
   * @returns the bytes per viewer, of the largest form that a viewer has, and how long it took without the turns of other work
   */
  private async sendAll(frames: readonly Frame[]): Promise<Pick<FrameCost, 'bytes' | 'sendMs'>> {
    const pending = new Set(frames.length > 0 ? this.viewers : []);
    this.pending = pending;
    if (pending.size === 0) return { bytes: 0, sendMs: 0 };
    let bytes = 0;
    const send = function* (snapshot: Newest): Generator<void> {
      for (const viewer of pending) {
        pending.delete(viewer);
        let own = 0;
        for (const frame of frames) own += viewer.send(frame, snapshot);
        bytes = Math.max(bytes, own);
        yield;
      }
    };
    const sendMs = await this.spells.do(send(this.snapshot));
    return { bytes, sendMs };
  }

  private tryAgain(): void {
    this.clear();
    this.isRetrying = true;
    this.timer = setTimeout(() => void this.flush(), RETRY_MS);
  }

  private clear(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isRetrying = false;
  }

  private frame(event: string, data: unknown): Frame {
    return eventFrame(event, this.id, data);
  }

  /** The latest result in one frame, for a viewer that has missed frames. Those that are being sent are not for it any more. */
  private readonly snapshot = (viewer: Viewer): Frame | undefined => {
    this.pending.delete(viewer);
    return this.whole;
  };

  private get id(): string {
    return `${this.shown?.round ?? 0}-${this.sequence}`;
  }
}
