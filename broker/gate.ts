import { Duplex } from 'node:stream';
import type { Flow, Held } from './flow.ts';
import { CONNECT, frameLength, PUBLISH, packetType } from './frame.ts';

/** What a connection may do. Sizes are whole MQTT packets in bytes. */
export const GATE_LIMITS = {
  /** The first packet, CONNECT, from a stranger. */
  connectBytes: 1024,
  /** Every packet after CONNECT was accepted. */
  packetBytes: 4096,
  /** How long a packet may take from its first byte to its last, ms. */
  packetMs: 10_000,
  /** PUBLISH packets handed on and not yet settled, per connection. */
  inFlight: 512,
} as const;

export type GateLimits = { readonly [Name in keyof typeof GATE_LIMITS]: number };

/** Why a gate closed a connection. */
export class GateError extends Error {
  override readonly name = 'GateError';
}

const NOTHING = Buffer.alloc(0);

/**
 * Stands between a socket and Aedes, which has no limits of its own: finds packet boundaries, refuses packets that
 * are too large before they are read, times half packets, lets a stranger send nothing but one CONNECT, and hands
 * on only as many PUBLISH packets as may be under way. Whole packets go on; the rest waits here or in the network.
 */
export class Gate extends Duplex implements Held {
  private readonly socket: Duplex;
  private readonly limits: GateLimits;
  private readonly flow: Flow;
  /** Bytes not handed on yet: at most one socket read and one packet. */
  private waiting: Buffer = NOTHING;
  private inFlight = 0;
  /** Of those in flight, the ones somebody is dealing with. */
  private begun = 0;
  private state: 'stranger' | 'connecting' | 'accepted' = 'stranger';
  private timer: NodeJS.Timeout | undefined;
  /** False while the reader has enough: nothing more is handed on until it asks. */
  private isWanted = true;
  /** When the packet now incomplete began, ms; 0: none is. */
  private partialSince = 0;

  constructor(socket: Duplex, flow: Flow, limits: GateLimits = GATE_LIMITS) {
    super({ allowHalfOpen: false, emitClose: true });
    this.socket = socket;
    this.flow = flow;
    this.limits = limits;
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  /** CONNECT was accepted: whatever came after it may go on now. */
  accept(): void {
    this.state = 'accepted';
    this.handOn();
  }

  /** Somebody deals with a PUBLISH that was handed on; until `settle` it counts, even if the connection closes. */
  begin(): void {
    this.begun++;
  }

  /** A PUBLISH that was begun has been dealt with. */
  settle(): void {
    this.begun--;
    this.inFlight--;
    this.flow.leave(1);
    if (this.inFlight === this.limits.inFlight >> 1) this.handOn();
  }

  /** There is room in the broker again. */
  goOn(): void {
    this.handOn();
  }

  override _read(): void {
    this.isWanted = true;
    this.handOn();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.send(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.send(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: () => void): void {
    this.socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.timer);
    this.flow.release(this);
    // What was never begun is gone with the connection; the rest settles in its own time.
    this.flow.leave(this.inFlight - this.begun);
    this.inFlight = this.begun;
    this.waiting = NOTHING;
    this.socket.destroy();
    done(error);
  }

  private send(bytes: Buffer, done: (error?: Error | null) => void): void {
    if (this.socket.destroyed) done(new GateError('the connection is closed'));
    else if (this.socket.write(bytes)) done();
    else this.socket.once('drain', done);
  }

  private receive(chunk: Buffer): void {
    this.waiting = this.waiting.length === 0 ? chunk : Buffer.concat([this.waiting, chunk]);
    this.handOn();
  }

  /** Hands on every whole packet that may go now, in one piece. */
  private handOn(): void {
    if (this.destroyed) return;
    const bytes = this.waiting;
    let end = 0;
    let publishes = 0;
    let isPartial = false;
    while (end < bytes.length && this.mayGo(publishes)) {
      const length = this.checkedLength(bytes, end);
      if (length === undefined) return;
      isPartial = length === 0 || end + length > bytes.length;
      if (isPartial) break;
      if (packetType(bytes[end] as number) === PUBLISH) publishes++;
      end += length;
      if (this.state === 'stranger') this.state = 'connecting';
    }
    this.time(isPartial);
    if (end > 0) {
      this.waiting = end === bytes.length ? NOTHING : bytes.subarray(end);
      this.inFlight += publishes;
      this.flow.enter(publishes);
    }
    // Whole packets that must wait stop the reading; half a packet needs it.
    if (this.waiting.length === 0 || isPartial) this.socket.resume();
    else this.socket.pause();
    if (end > 0) this.isWanted = this.push(bytes.subarray(0, end));
  }

  private mayGo(publishes: number): boolean {
    if (this.state === 'connecting' || !this.isWanted) return false;
    if (!this.flow.hasRoomFor(publishes + 1)) {
      this.flow.hold(this);
      return false;
    }
    return this.inFlight + publishes < this.limits.inFlight;
  }

  /** The length of the packet at `at`, 0 when not known yet; undefined when it closed the connection. */
  private checkedLength(bytes: Buffer, at: number): number | undefined {
    const isStranger = this.state === 'stranger';
    const length = frameLength(bytes, at);
    const limit = isStranger ? this.limits.connectBytes : this.limits.packetBytes;
    if (isStranger && packetType(bytes[at] as number) !== CONNECT) this.refuse('the first packet must be CONNECT');
    else if (length < 0) this.refuse('malformed remaining length');
    else if (length > limit) this.refuse(`a packet of ${length} bytes; at most ${limit} are allowed`);
    else return length;
    return undefined;
  }

  private refuse(why: string): void {
    this.destroy(new GateError(why));
  }

  /** Keeps time of half packets with one lazy timer, so that a busy connection does not set one per read. */
  private time(isPartial: boolean): void {
    if (!isPartial) {
      this.partialSince = 0;
      return;
    }
    this.partialSince ||= Date.now();
    this.timer ??= setTimeout(() => this.checkTime(), this.limits.packetMs);
  }

  private checkTime(): void {
    this.timer = undefined;
    if (this.partialSince === 0) return;
    const leftMs = this.partialSince + this.limits.packetMs - Date.now();
    if (leftMs > 0) this.timer = setTimeout(() => this.checkTime(), leftMs);
    else this.refuse(`half a packet for ${this.limits.packetMs} ms`);
  }
}
