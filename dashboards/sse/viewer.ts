import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { type Form, type Frame, streamEnd } from './frame.ts';

/**
 * If the system takes nothing for a viewer that is behind for this long (ms), it is disconnected. Its browser reconnects and gets a
 * snapshot. A slow viewer seems idle meanwhile, because more is taken only once a third of its buffer is free.
 */
const STALL_LIMIT_MS = 120_000;

/** A socket, or a stream without a timer. */
type Line = Writable & Partial<Pick<Socket, 'setTimeout'>>;

/** A connection whose response has begun, and the form of the frames that follow. */
export interface Connection {
  readonly socket: Line;
  readonly form: Form;
}

/** Returns the newest state of a feed in one frame; undefined if nothing has been read yet. */
export type Newest = () => Frame | undefined;

/**
 * One open stream. If the client does not keep up, frames are skipped instead of queued. Once it has caught up, it gets the
 * latest state of each feed whose frames it missed.
 */
export class Viewer {
  private readonly socket: Line;
  private readonly form: Form;
  private readonly onFrame: (bytes: number) => void;
  private missed: Set<Newest> | undefined;
  /** True while the client has not taken all that was written. */
  private isBehind = false;

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
    if (!this.isBehind) return this.write(frame);
    this.missed ??= new Set();
    this.missed.add(newest);
    return 0;
  }

  /** Sends the first bytes, which are not a frame of a feed. */
  begin(frame: Frame): void {
    this.socket.write(frame.in(this.form));
  }

  /** Sends a heartbeat, unless something is on its way already. */
  beat(frame: Frame): void {
    if (!this.isClosed && !this.isBehind) this.write(frame);
  }

  /** Forgets that the viewer missed frames of a feed, because it has left the feed. */
  forget(newest: Newest): void {
    this.missed?.delete(newest);
  }

  end(): void {
    if (this.isClosed) return;
    this.socket.end(streamEnd(this.form));
  }

  private write(frame: Frame): number {
    const bytes = frame.in(this.form);
    this.onFrame(bytes.length);
    if (!this.socket.write(bytes) && !this.isBehind) {
      this.isBehind = true;
      // Node’s timer begins anew whenever the system has taken a part, also of one frame.
      this.socket.setTimeout?.(STALL_LIMIT_MS, this.onStall);
    }
    return bytes.length;
  }

  private readonly onStall = (): void => {
    if (this.isBehind) this.socket.destroy();
  };

  private catchUp(): void {
    this.isBehind = false;
    this.socket.setTimeout?.(0, this.onStall);
    const missed = this.missed ?? [];
    this.missed = undefined;
    for (const newest of missed) {
      const frame = newest();
      if (frame) this.send(frame, newest);
    }
  }
}
