import type { Writable } from 'node:stream';
import type { Form, Frame } from './frame.ts';

/** If a viewer reads nothing for this long (ms), it is disconnected. Its browser reconnects and gets a snapshot. */
const STALL_LIMIT_MS = 30_000;

/** A connection whose response has begun, and the form of the frames that follow. */
export interface Connection {
  readonly socket: Writable;
  readonly form: Form;
}

/** Returns the newest state of a feed in one frame; undefined if there is none yet. */
export type Newest = () => Frame | undefined;

/**
 * One open stream. If the client does not keep up, frames are skipped instead of queued. Once it has caught up, it gets the
 * latest state of each feed whose frames it missed.
 */
export class Viewer {
  private readonly socket: Writable;
  private readonly form: Form;
  private readonly onFrame: (bytes: number) => void;
  private missed: Set<Newest> | undefined;
  private stalledSinceMs = 0;

  /** @param onFrame called with the size of every frame that is written */
  constructor({ socket, form }: Connection, onFrame: (bytes: number) => void) {
    this.socket = socket;
    this.form = form;
    this.onFrame = onFrame;
    socket.on('drain', () => this.catchUp());
    socket.on('error', () => socket.destroy());
  }

  get isClosed(): boolean {
    return this.socket.destroyed || this.socket.writableEnded;
  }

  /**
   * Sends a frame. If the client does not keep up, the result of `newest` is sent instead once it has caught up.
   *
   * @returns the bytes sent now
   */
  send(frame: Frame, newest: Newest): number {
    if (this.isClosed) return 0;
    if (this.stalledSinceMs === 0) return this.write(frame);
    this.missed ??= new Set();
    this.missed.add(newest);
    return 0;
  }

  /** Sends the first bytes, which are not a frame of a feed. */
  begin(frame: Frame): void {
    this.socket.write(frame.in(this.form));
  }

  /** Sends a heartbeat, or disconnects a viewer that has been stalled for too long. */
  beat(frame: Frame): void {
    if (this.isClosed) return;
    if (this.stalledSinceMs === 0) this.write(frame);
    else if (Date.now() - this.stalledSinceMs > STALL_LIMIT_MS) this.socket.destroy();
  }

  end(): void {
    this.socket.end();
  }

  private write(frame: Frame): number {
    const bytes = frame.in(this.form);
    this.onFrame(bytes.length);
    if (!this.socket.write(bytes)) this.stalledSinceMs ||= Date.now();
    return bytes.length;
  }

  private catchUp(): void {
    this.stalledSinceMs = 0;
    const missed = this.missed ?? [];
    this.missed = undefined;
    for (const newest of missed) {
      const frame = newest();
      if (frame) this.send(frame, newest);
    }
  }
}
