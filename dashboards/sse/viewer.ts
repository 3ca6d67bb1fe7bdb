import type { Writable } from 'node:stream';

/** If a viewer reads nothing for this long (ms), it is disconnected. Its browser reconnects and gets a snapshot. */
const STALL_LIMIT_MS = 30_000;

/**
 * One open stream. If the client does not keep up, frames are skipped instead of queued. Once it has caught up, it gets the
 * latest state of each feed whose frames it missed.
 */
export class Viewer {
  private readonly connection: Writable;
  private readonly onFrame: () => void;
  private readonly missed = new Set<() => Buffer>();
  private stalledSinceMs = 0;

  /** @param onFrame called for every frame that is written */
  constructor(connection: Writable, onFrame: () => void) {
    this.connection = connection;
    this.onFrame = onFrame;
    connection.on('drain', () => this.catchUp());
    connection.on('error', () => connection.destroy());
  }

  get isClosed(): boolean {
    return this.connection.destroyed || this.connection.writableEnded;
  }

  /** Sends a frame. If the client does not keep up, the result of `newest` is sent instead once it has caught up. */
  send(frame: Buffer, newest: () => Buffer): void {
    if (this.isClosed) return;
    if (this.stalledSinceMs > 0) this.missed.add(newest);
    else this.write(frame);
  }

  /** Sends a heartbeat, or disconnects a viewer that has been stalled for too long. */
  beat(frame: Buffer): void {
    if (this.isClosed) return;
    if (this.stalledSinceMs === 0) this.write(frame);
    else if (Date.now() - this.stalledSinceMs > STALL_LIMIT_MS) this.connection.destroy();
  }

  end(): void {
    this.connection.end();
  }

  private write(frame: Buffer): void {
    this.onFrame();
    if (!this.connection.write(frame)) this.stalledSinceMs ||= Date.now();
  }

  private catchUp(): void {
    this.stalledSinceMs = 0;
    const missed = [...this.missed];
    this.missed.clear();
    for (const newest of missed) this.send(newest(), newest);
  }
}
