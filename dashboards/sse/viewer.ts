import type { Writable } from 'node:stream';

/** A viewer that takes nothing for this long is cut off, ms; its browser reconnects and gets a snapshot. */
const STALL_LIMIT_MS = 30_000;

/**
 * One open stream. Knows one thing: whether its line is free. While it is not, frames for it are skipped and not
 * queued, and once it is, the feeds it missed are asked for their newest state.
 */
export class Viewer {
  private readonly line: Writable;
  private readonly onFrame: () => void;
  private readonly missed = new Set<() => Buffer>();
  private stalledSinceMs = 0;

  /** @param onFrame told of every frame that is written */
  constructor(line: Writable, onFrame: () => void) {
    this.line = line;
    this.onFrame = onFrame;
    line.on('drain', () => this.catchUp());
    line.on('error', () => line.destroy());
  }

  get isClosed(): boolean {
    return this.line.destroyed || this.line.writableEnded;
  }

  /** Sends a frame, or, when the line is busy, remembers to send what `newest` returns once it is free. */
  send(frame: Buffer, newest: () => Buffer): void {
    if (this.isClosed) return;
    if (this.stalledSinceMs > 0) this.missed.add(newest);
    else this.write(frame);
  }

  /** Sends a heartbeat; cuts the viewer off when it has been stalled for too long. */
  beat(frame: Buffer): void {
    if (this.isClosed) return;
    if (this.stalledSinceMs === 0) this.write(frame);
    else if (Date.now() - this.stalledSinceMs > STALL_LIMIT_MS) this.line.destroy();
  }

  end(): void {
    this.line.end();
  }

  private write(frame: Buffer): void {
    this.onFrame();
    if (!this.line.write(frame)) this.stalledSinceMs ||= Date.now();
  }

  private catchUp(): void {
    this.stalledSinceMs = 0;
    const missed = [...this.missed];
    this.missed.clear();
    for (const newest of missed) this.send(newest(), newest);
  }
}
