import { Duplex } from 'node:stream';
import type { Flow, Held } from './flow.ts';
import type { Pace } from './pace.ts';
import { checkPacket, UnknownLevel } from './wire/control-packets.ts';
import { CONNECT, DISCONNECT, frameLength, PUBLISH, packetType, SUBSCRIBE, setSessionPresent } from './wire/frame.ts';
import { RepeatedFilters } from './wire/repeated-filters.ts';

/** Limits of a connection. Sizes are in bytes and include the whole MQTT packet. */
export const GATE_LIMITS = {
  /** Maximum size of the first packet, CONNECT. */
  connectBytes: 1024,
  /** Maximum size of every later packet. */
  packetBytes: 4096,
  /** Maximum time in ms between the first and the last byte of a packet. */
  packetMs: 10_000,
  /** Maximum number of PUBLISH packets per connection that were forwarded but not yet processed. */
  inFlight: 512,
} as const;

export type GateLimits = { readonly [Name in keyof typeof GATE_LIMITS]: number };

/** Why a gate closed a connection. */
export class GateError extends Error {
  override readonly name = 'GateError';
}

const NOTHING = Buffer.alloc(0);
/** CONNACK with return code 1: unacceptable protocol level. */
const UNACCEPTABLE_LEVEL = Buffer.from([0x20, 0x02, 0x00, 0x01]);
/** Time in ms for a client to close the connection after such an answer. Closing at once could discard the answer. */
const LINGER_MS = 1_000;

/**
 * Sits between a socket and Aedes, and enforces limits that Aedes lacks. It finds packet boundaries, rejects packets that are
 * too large or malformed before Aedes reads them, sets a time limit for incomplete packets, lets only one CONNECT through until the
 * client has been accepted, and limits the PUBLISH packets in flight and the pace of all packets. Only whole packets are forwarded;
 * the rest waits here or in the network.
 */
export class Gate extends Duplex {
  /** Whether CONNACK says that the session was stored: Aedes knows only sessions with subscriptions. */
  sessionPresent = false;
  private readonly socket: Duplex;
  private readonly limits: GateLimits;
  private readonly flow: Flow;
  private readonly pace: Pace | undefined;
  private readonly held: Held = { resume: () => this.forward() };
  /** Bytes not forwarded yet: at most one socket read and one packet. */
  private waiting: Buffer = NOTHING;
  private inFlight = 0;
  /** How the connection ended, if the device or the network ended it: with DISCONNECT, or without. */
  ending: 'goodbye' | 'lost' | undefined;
  /** PUBLISH packets in flight that are being processed. */
  private begun = 0;
  private state: 'stranger' | 'connecting' | 'accepted' | 'refused' = 'stranger';
  /** Why the connection was refused with an answer. */
  private refusal: GateError | null = null;
  private readonly repeatedFilters = new RepeatedFilters();
  private timer: NodeJS.Timeout | undefined;
  /** Runs while the next packet has to wait because of the pace. */
  private paceTimer: NodeJS.Timeout | undefined;
  /** False while the reader’s buffer is full; nothing is forwarded until the reader reads again. */
  private isWanted = true;
  private isAnswered = false;
  /** The time in ms at which the first byte of the incomplete packet arrived; 0 if there is no incomplete packet. */
  private partialSince = 0;

  /** @param pace without one, the pace of packets is not limited */
  constructor(socket: Duplex, flow: Flow, limits: GateLimits = GATE_LIMITS, pace?: Pace) {
    super({ allowHalfOpen: false, emitClose: true });
    this.socket = socket;
    this.flow = flow;
    this.limits = limits;
    this.pace = pace;
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('end', () => {
      this.noteLost();
      this.push(null);
    });
    socket.on('error', (error) => {
      this.noteLost();
      this.destroy(error);
    });
    socket.on('close', () => {
      this.noteLost();
      this.destroy(this.refusal ?? undefined);
    });
  }

  /** Call when CONNECT has been accepted. From then on, the packets that follow it are forwarded. */
  accept(): void {
    this.state = 'accepted';
    this.forward();
  }

  /** Call when processing of a PUBLISH begins. The packet is in flight until `settle`, even if the connection closes. */
  begin(): void {
    this.begun++;
  }

  /** Call when a PUBLISH passed to `begin` has been processed. */
  settle(): void {
    this.begun--;
    this.inFlight--;
    this.flow.leave(1);
    if (this.inFlight === this.limits.inFlight >> 1) this.forward();
  }

  override _read(): void {
    this.isWanted = true;
    this.forward();
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
    clearTimeout(this.paceTimer);
    this.pace?.close();
    this.flow.release(this.held);
    // Packets whose processing has not begun are lost with the connection; `settle` is still called for the others.
    this.flow.leave(this.inFlight - this.begun);
    this.inFlight = this.begun;
    this.waiting = NOTHING;
    this.socket.destroy();
    done(error);
  }

  /** Notes that the other side ended the connection, unless this side did. */
  private noteLost(): void {
    if (!this.destroyed) this.ending ??= 'lost';
  }

  private send(bytes: Buffer, done: (error?: Error | null) => void): void {
    if (!this.isAnswered) {
      this.isAnswered = true;
      setSessionPresent(bytes, this.sessionPresent);
    }
    if (this.socket.destroyed) done(new GateError('the connection is closed'));
    else if (this.socket.write(this.repeatedFilters.complete(bytes))) done();
    else this.socket.once('drain', done);
  }

  private receive(chunk: Buffer): void {
    if (this.state === 'refused') return;
    this.waiting = this.waiting.length === 0 ? chunk : Buffer.concat([this.waiting, chunk]);
    this.forward();
  }

  /** Forwards all whole packets that the limits allow, in one chunk. */
  private forward(): void {
    if (this.destroyed) return;
    const bytes = this.waiting;
    const nowMs = performance.now();
    let end = 0;
    let publishes = 0;
    let isPartial = false;
    while (end < bytes.length && this.mayForward(publishes)) {
      const length = this.checkedLength(bytes, end);
      if (length === undefined) return;
      isPartial = length === 0 || end + length > bytes.length;
      const type = packetType(bytes[end] as number);
      if (isPartial || this.mustWait(type, length, nowMs)) break;
      if (!this.isAllowed(bytes, end, end + length)) return;
      if (type === PUBLISH) publishes++;
      else if (type === DISCONNECT) this.ending = 'goodbye';
      end += length;
      if (this.state === 'stranger') this.state = 'connecting';
    }
    this.time(isPartial);
    if (end > 0) {
      this.waiting = end === bytes.length ? NOTHING : bytes.subarray(end);
      this.inFlight += publishes;
      this.flow.enter(publishes);
    }
    // Stop reading while whole packets wait; keep reading to complete a partial one.
    if (this.waiting.length === 0 || isPartial) this.socket.resume();
    else this.socket.pause();
    if (end > 0) this.isWanted = this.push(bytes.subarray(0, end));
  }

  private mayForward(publishes: number): boolean {
    if (this.state === 'connecting' || !this.isWanted) return false;
    if (!this.flow.hasRoomFor(publishes + 1)) {
      this.flow.hold(this.held);
      return false;
    }
    return this.inFlight + publishes < this.limits.inFlight;
  }

  /** True if the next packet has to wait because of the pace. Forwarding continues automatically. */
  private mustWait(type: number, length: number, nowMs: number): boolean {
    const delayMs = this.pace?.delay(type, length, nowMs) ?? 0;
    if (delayMs === 0) return false;
    this.paceTimer ??= setTimeout(() => {
      this.paceTimer = undefined;
      this.forward();
    }, delayMs);
    return true;
  }

  /** The length of the packet at `at`; 0 if not known yet; undefined if the packet was refused, which closes the connection. */
  private checkedLength(bytes: Buffer, at: number): number | undefined {
    const isStranger = this.state === 'stranger';
    const length = frameLength(bytes, at);
    const limit = isStranger ? this.limits.connectBytes : this.limits.packetBytes;
    if (isStranger && packetType(bytes[at] as number) !== CONNECT) this.refuse('the first packet must be CONNECT');
    else if (length < 0) this.refuse('malformed remaining length');
    else if (length > limit) this.refuse(`a packet of ${length} bytes exceeds the limit of ${limit}`);
    else return length;
    return undefined;
  }

  /** Checks a whole packet. If it violates the protocol, the connection is closed. */
  private isAllowed(bytes: Buffer, start: number, end: number): boolean {
    try {
      checkPacket(bytes, start, end);
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof UnknownLevel) this.answer(UNACCEPTABLE_LEVEL, message, error.clientId);
      else this.refuse(message);
      return false;
    }
    if (packetType(bytes[start] as number) === SUBSCRIBE) this.repeatedFilters.subscribing(bytes, start, end);
    return true;
  }

  /**
   * Sends the only answer that a refused client gets, and closes the connection. Emits `refused` at once, because the client may
   * close the connection first, without an error.
   */
  private answer(bytes: Buffer, why: string, clientId: string | undefined): void {
    this.state = 'refused';
    this.refusal = new GateError(why);
    this.emit('refused', this.refusal, clientId);
    this.waiting = NOTHING;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refuse(why), LINGER_MS);
    this.socket.resume();
    this.socket.end(bytes);
  }

  private refuse(why: string): void {
    this.destroy(new GateError(why));
  }

  /** Times incomplete packets. There is one lazy timer, so that a busy connection does not set a timer for every read. */
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
    else this.refuse(`packet still incomplete after ${this.limits.packetMs} ms`);
  }
}
