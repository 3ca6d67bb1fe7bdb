import type { Result } from '../../core/voting/result.ts';
import { deltaOf, hasSameOptions } from './delta.ts';
import { eventFrame } from './frame.ts';
import type { Viewer } from './viewer.ts';

/** Frames of one poll follow each other no faster than this, ms. */
export const FRAME_EVERY_MS = 100;

/** How many times as long as a result took to work out the next one waits for. */
const REST = 5;

/** A result that could not be read is read again after this, ms. */
const RETRY_MS = 1_000;

/** Reads the result a feed shows now; undefined when the poll is gone. */
export type ReadResult = () => Promise<Result | undefined>;

/**
 * What one audience sees of one poll. Every frame is encoded once for all viewers; a viewer that joins gets the
 * result as the others have it, so that the next change fits on both.
 */
export class Feed {
  private readonly read: ReadResult;
  private readonly viewers = new Set<Viewer>();
  /** Viewers that wait for their first result. */
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

  /** Something may have changed: tell the viewers, at once or when the last frame is old enough. */
  touch(): void {
    if (this.size === 0) return;
    this.isDirty = true;
    // Whoever is on the way to its first result sees it as it is then, and what came meanwhile after it.
    if (this.viewers.size === 0) return;
    if (this.timer || this.isWorking) return;
    // A result that takes long to work out is worked out less often.
    const everyMs = Math.max(FRAME_EVERY_MS, REST * this.tookMs);
    const waitMs = Math.max(0, this.sentAtMs + everyMs - Date.now());
    this.timer = setTimeout(() => void this.flush(), waitMs);
  }

  close(): void {
    clearTimeout(this.timer);
    for (const viewer of this.viewers) viewer.end();
    this.viewers.clear();
  }

  /** Reads afresh: what was shown to those who left may be old. */
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

  /** Brings what is shown up to date and sends the difference. A result that cannot be read is tried again. */
  private async show(): Promise<void> {
    const before = this.shown;
    const startMs = performance.now();
    const after = await this.read().catch(() => null);
    this.tookMs = performance.now() - startMs;
    if (after === null) this.tryAgain();
    if (!after) return;
    this.shown = after;
    // Those who joined while it could not be read have nothing yet.
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

  /** The newest state in one frame: for who joins, and for who missed something. */
  private readonly snapshot = (): Buffer => {
    if (!this.shown) return Buffer.alloc(0);
    return eventFrame('result', this.id, this.shown);
  };

  private get id(): string {
    return `${this.shown?.round ?? 0}-${this.sequence}`;
  }
}
