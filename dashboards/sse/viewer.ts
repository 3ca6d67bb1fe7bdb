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

/** A connection, and the form of the frames that follow the head of its response. */
export interface Connection {
  /** Its errors must be listened for. */
  readonly socket: Line;
  readonly form: Form;
}

/** Returns the newest state of a feed for a viewer in one frame; undefined if nothing has been read yet. */
export type Newest = (viewer: Viewer) => Frame | undefined;

/**
 * One open stream. If the client does not keep up, frames are skipped instead of queued. Once it has caught up, it gets the
 * latest state of each feed whose frames it missed. There are many, so it has no function or timer of its own until it is behind.
 */
export class Viewer {
  private readonly socket: Line;
  private readonly form: Form;
  private readonly onFrame: (bytes: number) => void;
  private missed: Set<Newest> | undefined;
  /** True while the client has not taken all that was written. */
  private isBehind = false;
  /** What is written together once the stream has begun. */
  private held: Buffer[] | undefined;

  /** @param onFrame called with the size of every frame that is written */
  constructor({ socket, form }: Connection, onFrame: (bytes: number) => void) {
    this.socket = socket;
    this.form = form;
    this.onFrame = onFrame;
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

  /** Holds these bytes, which are not a frame of a feed, and all frames that follow until `release`: they leave in one write. */
  hold(...opening: Buffer[]): void {
    this.held = opening;
  }

  release(): void {
    const { held } = this;
    if (!held) return;
    this.held = undefined;
    if (!this.isClosed) this.put(Buffer.concat(held));
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
    this.release();
    if (!this.isClosed) this.socket.end(streamEnd(this.form));
  }

  /** Closes the connection, whatever has been read of the stream. */
  cut(): void {
    this.socket.destroy();
  }

  private write(frame: Frame): number {
    const bytes = frame.in(this.form);
    this.onFrame(bytes.length);
    if (this.held) this.held.push(bytes);
    else this.put(bytes);
    return bytes.length;
  }

  private put(bytes: Buffer): void {
    if (this.socket.write(bytes) || this.isBehind) return;
    this.isBehind = true;
    const onStall = () => this.socket.destroy();
    // Node’s timer begins anew whenever the system has taken a part, also of one frame.
    this.socket.setTimeout?.(STALL_LIMIT_MS, onStall);
    this.socket.once('drain', () => {
      this.socket.setTimeout?.(0, onStall);
      this.catchUp();
    });
  }

  private catchUp(): void {
    this.isBehind = false;
    const missed = this.missed ?? [];
    this.missed = undefined;
    for (const newest of missed) {
      const frame = newest(this);
      if (frame) this.send(frame, newest);
    }
  }
}
