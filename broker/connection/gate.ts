import { Duplex } from 'node:stream';
import { Acknowledgements } from './acknowledgements.ts';
import { type Flow, Share } from './flow.ts';
import { refusal } from './mqtt5/answers.ts';
import { CODE, codeOfError } from './mqtt5/codes.ts';
import { isConnect5 } from './mqtt5/connect.ts';
import { Dialect } from './mqtt5/dialect.ts';
import type { Mqtt5Options, Translator } from './mqtt5/translator.ts';
import { Outgoing, part } from './outgoing.ts';
import type { Pace } from './pace.ts';
import type { Receiver } from './receiver.ts';
import { UNACCEPTABLE_LEVEL, UnknownLevel } from './wire/control-packets.ts';
import { CONNECT, DISCONNECT, frameLength, PUBLISH, PUBREL, packetType } from './wire/frame.ts';
import { GATE_LIMITS, type GateLimits } from './wire/limits.ts';
import { PacketTimer } from './wire/packet-timer.ts';
import type { Publish } from './wire/publish.ts';

export type { GateLimits } from './wire/limits.ts';

/** Why a gate closed a connection. */
export class GateError extends Error {
  override readonly name = 'GateError';
}

const NOTHING = Buffer.alloc(0);

/**
 * Sits between a socket and Aedes. What a device publishes is read here and goes straight to its receiver; all other packets are
 * forwarded to Aedes. The gate also enforces limits that Aedes lacks. It finds packet boundaries, rejects packets that are too
 * large or malformed, sets a time limit for incomplete packets, lets only one CONNECT through until the client has been accepted,
 * and limits the packets in flight and the pace of all packets. Only whole packets leave it; the rest waits here or in the
 * network.
 */
export class Gate extends Duplex {
  readonly outgoing: Outgoing;
  readonly acknowledgements = new Acknowledgements(this);
  private readonly socket: Duplex;
  private readonly limits: GateLimits;
  private readonly share: Share;
  private readonly pace: Pace | undefined;
  private readonly dialect: Dialect;
  private readonly packetTimer: PacketTimer;
  private receiver: Receiver | undefined;
  /** The DISCONNECT with which the connection ends, in MQTT 5. */
  private farewell: Buffer | undefined;
  /** Bytes not passed on yet: at most one socket read and one packet. */
  private waiting: Buffer = NOTHING;
  /** How the connection ended, if the device or the network ended it: with DISCONNECT, or without. */
  ending: 'goodbye' | 'lost' | undefined;
  private state: 'stranger' | 'connecting' | 'accepted' | 'refused' = 'stranger';
  /** Why the connection was refused with an answer. */
  private refusal: GateError | null = null;
  /** Runs while the next packet has to wait because of the pace. */
  private paceTimer: NodeJS.Timeout | undefined;
  /** False while the reader’s buffer is full; nothing is forwarded until the reader reads again. */
  private isWanted = true;
  /** True once the other side has ended; what it sent before is still passed on. */
  private isEnded = false;
  /** True while packets are passed on, because what becomes of one may call for the next. */
  private isForwarding = false;

  /** @param pace without one, the pace of packets is not limited */
  constructor(socket: Duplex, flow: Flow, limits: GateLimits = GATE_LIMITS, pace?: Pace, mqtt5?: Mqtt5Options) {
    super({ allowHalfOpen: false, emitClose: true });
    this.socket = socket;
    this.share = new Share(flow, limits.inFlight, () => this.forward());
    this.limits = limits;
    this.pace = pace;
    this.outgoing = new Outgoing({
      socket,
      drainMs: limits.drainMs,
      onDrained: () => this.forward(),
      onStalled: () => this.refuse('drain timeout', CODE.unspecified),
    });
    this.dialect = new Dialect({
      ...limits,
      mqtt5,
      outgoing: this.outgoing,
      toAedes: (packet) => void (this.destroyed || this.push(packet)),
    });
    this.packetTimer = new PacketTimer(limits.packetMs, () =>
      this.refuse(`packet still incomplete after ${limits.packetMs} ms`, CODE.unspecified),
    );
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('end', () => {
      this.noteLost();
      this.isEnded = true;
      this.forward();
    });
    socket.on('error', (error) => {
      this.noteLost();
      this.destroy(error);
    });
    socket.on('close', () => {
      this.noteLost();
      if (!this.isEnded || this.waiting.length === 0) this.destroy(this.refusal ?? undefined);
    });
  }

  /** Translates if the client speaks MQTT 5; undefined before CONNECT. */
  get mqtt5(): Translator | undefined {
    return this.dialect.mqtt5;
  }

  /** Notes why the connection ends, for a client of MQTT 5. Only the first reason is sent. */
  sayWhy(code: number, why: string | undefined): void {
    if (this.state === 'accepted' && this.ending === undefined) this.farewell ??= this.mqtt5?.farewell(code, why);
  }

  /** Call when CONNECT has been accepted. From then on, the packets that follow it are passed on. */
  accept(receiver: Receiver): void {
    this.receiver = receiver;
    this.state = 'accepted';
    this.forward();
  }

  /** Call when packets that the receiver took have been dealt with. */
  settle(packets: number): void {
    this.share.leave(packets);
  }

  /** Sends acknowledgements. */
  acknowledge(bytes: Buffer): void {
    this.outgoing.acknowledge(bytes);
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
    this.packetTimer.close();
    this.outgoing.close();
    clearTimeout(this.paceTimer);
    this.pace?.close();
    this.share.close();
    this.waiting = NOTHING;
    if (error) this.sayWhy(CODE.unspecified, undefined);
    if (this.mqtt5 && this.socket.writable) part(this.socket, this.farewell ?? NOTHING);
    else this.socket.destroy();
    done(error);
  }

  /** Notes that the other side ended the connection, unless this side did. */
  private noteLost(): void {
    if (!this.destroyed) this.ending ??= 'lost';
  }

  private send(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.acknowledgements.flush();
    this.outgoing.send(bytes, done);
  }

  private receive(chunk: Buffer): void {
    if (this.state === 'refused' || this.destroyed) return;
    this.waiting = this.waiting.length === 0 ? chunk : Buffer.concat([this.waiting, chunk]);
    this.forward();
  }

  /** Passes on all whole packets that the limits allow. */
  private forward(): void {
    if (this.destroyed || this.isForwarding) return;
    this.isForwarding = true;
    const bytes = this.waiting;
    const nowMs = performance.now();
    let at = 0;
    let isPartial = false;
    let isTaken = false;
    while (at < bytes.length && this.mayForward()) {
      const length = this.checkedLength(bytes, at);
      if (length === undefined) return;
      const end = at + length;
      isPartial = length === 0 || end > bytes.length;
      const type = packetType(bytes[at] as number);
      if (isPartial || this.mustWait(type, length, nowMs)) break;
      if (type === PUBLISH || type === PUBREL) {
        if (!this.isTaken(type, bytes, at, end)) return;
        isTaken = true;
      } else if (!this.isForwarded(type, bytes, at, end)) return;
      at = end;
    }
    this.isForwarding = false;
    if (isTaken) this.receiver?.heard();
    if (this.destroyed) return;
    this.packetTimer.note(isPartial, at > 0);
    if (at > 0) this.waiting = at === bytes.length ? NOTHING : bytes.subarray(at);
    // Stop reading while whole packets wait; keep reading to complete a partial one.
    if (this.waiting.length === 0 || isPartial) this.socket.resume();
    else this.socket.pause();
    if (this.isEnded && (isPartial || this.waiting.length === 0)) this.finish();
  }

  /** Ends the connection, when all that the other side sent has been passed on. */
  private finish(): void {
    this.waiting = NOTHING;
    this.push(null);
    if (this.socket.destroyed) this.destroy();
  }

  private mayForward(): boolean {
    if (this.destroyed || this.ending === 'goodbye' || !this.isWanted || this.outgoing.isClogged) return false;
    if (this.state !== 'stranger' && this.state !== 'accepted') return false;
    return this.share.hasRoom();
  }

  /** Hands a PUBLISH or PUBREL to the receiver. Returns false if it was malformed, which closes the connection. */
  private isTaken(type: number, bytes: Buffer, start: number, end: number): boolean {
    let publish: Publish | undefined;
    let released = 0;
    try {
      if (type === PUBLISH) publish = this.dialect.publish(bytes, start, end);
      else released = this.dialect.release(bytes, start, end);
    } catch (error) {
      this.refuse((error as Error).message, codeOfError(error));
      return false;
    }
    this.share.enter();
    if (publish) this.receiver?.publish(publish);
    else this.receiver?.release(released);
    return true;
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
    if ((packetType(bytes[at] as number) === CONNECT) !== isStranger)
      this.refuse('CONNECT must come first, and only once', CODE.protocol);
    else if (length < 0) this.refuse('malformed remaining length');
    else if (length <= limit) return length;
    else this.refuse(`a packet of ${length} bytes exceeds the limit of ${limit}`, CODE.tooLarge, isConnect5(bytes, at));
    return undefined;
  }

  /** Forwards a whole packet to Aedes. Returns false if it violates the protocol, which closes the connection. */
  private isForwarded(type: number, bytes: Buffer, start: number, end: number): boolean {
    let packet: Buffer | undefined;
    try {
      packet = this.dialect.forAedes(type, bytes, start, end);
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof UnknownLevel) this.answer(UNACCEPTABLE_LEVEL, message);
      else this.refuse(message, codeOfError(error), isConnect5(bytes, start));
      return false;
    }
    if (type === CONNECT && this.state === 'stranger') this.state = 'connecting';
    else if (type === DISCONNECT) this.ending = 'goodbye';
    if (packet) this.isWanted = this.push(packet);
    // A client that wants its will to be published has not left as far as Aedes knows.
    else if (type === DISCONNECT) this.push(null);
    else this.receiver?.heard();
    return true;
  }

  /** Sends the only answer that a refused client gets, and closes. Emits `refused` at once, because the client may close first. */
  private answer(bytes: Buffer, why: string): void {
    this.state = 'refused';
    this.refusal = new GateError(why);
    this.emit('refused', this.refusal);
    this.waiting = NOTHING;
    this.packetTimer.close();
    this.outgoing.end(bytes, () => this.refuse(why));
    this.socket.resume();
  }

  /** @param code the reason code for a client of MQTT 5 @param isConnect whether its CONNECT is refused */
  private refuse(why: string, code: number = CODE.malformed, isConnect = false): void {
    if (isConnect && this.state === 'stranger') return this.answer(refusal(code, why), why);
    this.sayWhy(code, why);
    this.destroy(new GateError(why));
  }
}
