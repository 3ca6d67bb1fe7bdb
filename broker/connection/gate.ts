import type { Duplex } from 'node:stream';
import { Acknowledgements } from './acknowledgements.ts';
import { AedesPort } from './aedes-port.ts';
import { closeSoon } from './closing.ts';
import { type Held, Share } from './flow/flow.ts';
import { Pace } from './flow/pace.ts';
import { GateError, type GateOwner, type GateParts } from './gate-owner.ts';
import { refusal } from './mqtt5/answers.ts';
import { CODE, codeOfError } from './mqtt5/codes.ts';
import { isConnect5 } from './mqtt5/connect.ts';
import { Dialect } from './mqtt5/dialect.ts';
import { lengthOf } from './mqtt5/length.ts';
import type { Mqtt5Options, Translator } from './mqtt5/translator.ts';
import { Outgoing, part } from './outgoing.ts';
import type { Receiver } from './receiver.ts';
import { connack311, UNACCEPTABLE_LEVEL, UnknownLevel } from './wire/connect.ts';
import { CONNECT, DISCONNECT, PINGREQ, PINGRESP, PUBLISH, PUBREL, packetType } from './wire/frame.ts';
import { GATE_LIMITS, type GateLimits } from './wire/limits.ts';
import { LATE, Patience } from './wire/patience.ts';
import { guard } from './wire/socket.ts';

const NOTHING = Buffer.alloc(0);

/**
 * The broker’s end of a socket. It finds packet boundaries, rejects packets that are too large or malformed, limits how long
 * packets and silence may take, how many packets are in flight, and the pace of all packets. What a device publishes goes
 * straight to its receiver, and pings are answered here. A device that only votes needs nothing else; the first other packet
 * attaches Aedes, which from then on gets everything but PUBLISH and PUBREL. Most of many thousands of gates are idle, so an idle
 * one has no handlers or timers of its own, and nothing is made before it is needed.
 */
export class Gate implements Held {
  readonly socket: Duplex;
  readonly limits: GateLimits;
  readonly mqtt5Options: Mqtt5Options | undefined;
  readonly outgoing: Outgoing = new Outgoing(this);
  readonly acknowledgements = new Acknowledgements(this);
  readonly dialect: Dialect = new Dialect(this);
  /** How the connection ended, if the device or the network ended it: with DISCONNECT, or without. */
  ending: 'goodbye' | 'lost' | undefined;
  destroyed = false;
  private readonly owner: GateOwner;
  private readonly share: Share;
  private readonly pace: Pace | undefined;
  private receiver: Receiver | undefined;
  private port: AedesPort | undefined;
  /** The packet that Aedes is being attached for. */
  private forAedes: Buffer | undefined;
  /** The last packet: CONNACK that refuses, or DISCONNECT in MQTT 5. */
  private last: Buffer | undefined;
  /** Bytes not passed on yet: at most one socket read and one packet. */
  private waiting: Buffer = NOTHING;
  private readonly patience: Patience;
  private state: 'stranger' | 'connecting' | 'accepted' = 'stranger';
  private isEnded = false;
  /** True once the connection only waits to be closed. Nothing more is passed on. */
  private isClosing = false;
  private failure: Error | null = null;
  private isForwarding = false;

  constructor(socket: Duplex, owner: GateOwner, { flow, limits = GATE_LIMITS, pace, mqtt5 }: GateParts) {
    this.socket = socket;
    this.owner = owner;
    this.limits = limits;
    this.mqtt5Options = mqtt5;
    this.share = new Share(flow, limits.inFlight, this);
    this.pace = pace && new Pace(pace, owner);
    this.patience = new Patience(limits);
    guard(socket, this);
  }

  /** True if the connection is closed, or soon will be. */
  get isClosed(): boolean {
    return this.destroyed || this.isClosing;
  }

  /** Translates if the client speaks MQTT 5; undefined before CONNECT. */
  get mqtt5(): Translator | undefined {
    return this.dialect.mqtt5;
  }

  /** Notes why the connection ends, for a client of MQTT 5. Only the first reason is sent. */
  sayWhy(code: number, why: string | undefined): void {
    if (this.state === 'accepted' && this.ending === undefined) this.last ??= this.mqtt5?.farewell(code, why);
  }

  /** Call when the client is let in: its keep alive begins. @param keepAlive in seconds */
  enter(keepAlive: number): void {
    this.patience.begin(keepAlive);
  }

  /** Call when CONNECT has been answered. From then on, the packets that follow it are passed on. @param keepAlive in seconds */
  accept(receiver: Receiver, keepAlive = 0): void {
    this.receiver = receiver;
    this.state = 'accepted';
    this.patience.begin(keepAlive);
    this.resume();
  }

  /** Refuses CONNECT with an answer, and closes. */
  turnAway(answer: Buffer, why: string): void {
    this.last = answer;
    this.destroy(new GateError(why));
  }

  /** Makes the stream that Aedes reads from and writes to. @param connack what the client gets for Aedes’s CONNACK, if anything */
  attach(connack?: Buffer): AedesPort {
    this.port = new AedesPort(this, connack);
    return this.port;
  }

  /** Call when Aedes has taken the client in. */
  attached(): void {
    const packet = this.forAedes;
    this.forAedes = undefined;
    if (packet) this.toAedes(packet);
    this.resume();
  }

  /** Passes a packet to Aedes. */
  toAedes(packet: Buffer): void {
    if (!this.destroyed) this.port?.pass(packet);
  }

  /** Sends whole packets of Aedes. */
  send(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.acknowledgements.flush();
    this.outgoing.send(bytes, done);
  }

  /** Sends acknowledgements and other answers of the broker. */
  acknowledge(bytes: Buffer): void {
    this.outgoing.acknowledge(bytes);
  }

  /** Call when packets that the receiver took have been dealt with. */
  settle(packets: number): void {
    this.share.leave(packets);
  }

  /** Call when the client does not read or acknowledge what was sent to it. */
  stalled(): void {
    this.refuse('drain timeout', CODE.unspecified);
  }

  /** Call several times a second: closes the connection if the client takes too long. @param nowMs by `performance.now` */
  check(nowMs: number): void {
    const isHeld = this.waiting.length > 0 || this.forAedes !== undefined;
    const late = this.patience.late(nowMs, this.state === 'stranger', isHeld);
    if (!late) return;
    if (late === 'keep alive') this.sayWhy(CODE.keepAlive, undefined);
    this.refuse(LATE[late], CODE.unspecified);
  }

  destroy(error: Error | null = null): void {
    if (this.destroyed) return;
    if (error) this.sayWhy(CODE.unspecified, undefined);
    this.destroyed = true;
    this.outgoing.close();
    this.pace?.close();
    this.share.close();
    this.waiting = NOTHING;
    // If this side ends the connection, the client may not have read all acknowledgements yet.
    const isHeard = this.last || this.mqtt5 || !(error || this.ending);
    if (isHeard && this.socket.writable) part(this.socket, this.last ?? NOTHING);
    else this.socket.destroy();
    this.port?.destroy(error ?? undefined);
    process.nextTick(() => this.owner.closed(error));
  }

  /** Call with what was read from the socket. The memory is not used once this returns. */
  receive(chunk: Buffer): void {
    if (this.isClosed) return;
    this.waiting = this.waiting.length === 0 ? chunk : Buffer.concat([this.waiting, chunk]);
    this.resume();
    // The rest of a read is rare: a part of a packet, or packets that have to wait.
    if (this.waiting.length > 0 && this.waiting.buffer === chunk.buffer) this.waiting = Buffer.from(this.waiting);
  }

  /** Call when the other side has ended the connection; it may still read. */
  ended(): void {
    if (!this.destroyed) this.ending ??= 'lost';
    this.isEnded = true;
    this.resume();
  }

  /** Call when the socket has closed. What came before its end is still passed on. */
  lost(error: Error | null): void {
    if (!this.destroyed) this.ending ??= 'lost';
    this.failure ??= error;
    if (error || !this.isEnded || (this.waiting.length === 0 && !this.forAedes)) this.finish();
  }

  /** Closes the connection, after the other side has. */
  close(): void {
    if (this.port && !this.socket.destroyed) this.port.push(null);
    else this.destroy(this.failure);
  }

  /** Passes on all whole packets that the limits allow. Call when they may allow more. */
  resume(): void {
    if (this.isClosed || this.isForwarding) return;
    this.isForwarding = true;
    const bytes = this.waiting;
    const nowMs = performance.now();
    let at = 0;
    let isPartial = false;
    while (at < bytes.length && this.mayForward()) {
      const length = lengthOf(bytes, at, this.state === 'stranger', this.limits);
      if (typeof length !== 'number') return this.refuse(length.why, length.code, length.isConnect);
      const end = at + length;
      isPartial = length === 0 || end > bytes.length;
      const type = packetType(bytes[at] as number);
      if (isPartial || this.pace?.mustWait(type, length, nowMs, this)) break;
      if (!this.isPassed(type, bytes, at, end)) return;
      at = end;
    }
    this.isForwarding = false;
    if (this.destroyed) return;
    this.patience.note(isPartial, at > 0, nowMs);
    if (at > 0) this.waiting = at === bytes.length ? NOTHING : bytes.subarray(at);
    // Stop reading while whole packets wait; keep reading to complete a partial one.
    if (this.waiting.length === 0 || isPartial) this.socket.resume();
    else this.socket.pause();
    if (this.isEnded && !this.forAedes && (isPartial || this.waiting.length === 0)) this.finish();
  }

  /** Ends the connection soon, when all that the other side sent has been passed on. */
  private finish(): void {
    if (this.destroyed) return;
    this.waiting = NOTHING;
    this.owner.closing();
    this.isClosing = true;
    closeSoon(this);
  }

  private mayForward(): boolean {
    if (this.destroyed || this.ending === 'goodbye' || this.state === 'connecting') return false;
    if (this.forAedes || this.port?.isFull || this.outgoing.isClogged) return false;
    return this.share.hasRoom();
  }

  /** Passes on a whole packet. Returns false if it violates the protocol, which closes the connection. */
  private isPassed(type: number, bytes: Buffer, start: number, end: number): boolean {
    try {
      this.pass(type, bytes, start, end);
      return true;
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof UnknownLevel) this.turnAway(connack311(false, UNACCEPTABLE_LEVEL), message);
      else this.refuse(message, codeOfError(error), isConnect5(bytes, start));
      return false;
    }
  }

  private pass(type: number, bytes: Buffer, start: number, end: number): void {
    const { dialect } = this;
    // What is not dealt with in this turn of the event loop is kept in memory of its own.
    if (type !== PUBLISH && type !== PUBREL) return this.passOther(type, Buffer.from(bytes.subarray(start, end)));
    if (type === PUBLISH) {
      const publish = dialect.publish(bytes, start, end);
      this.share.enter();
      this.receiver?.publish(publish);
    } else {
      const id = dialect.release(bytes, start, end);
      this.share.enter();
      this.receiver?.release(id);
    }
  }

  private passOther(type: number, packet: Buffer): void {
    const { dialect } = this;
    if (type === CONNECT) {
      const connect = dialect.connect(packet, 0, packet.length);
      this.state = 'connecting';
      this.owner.connect(connect);
    } else this.answer(type, dialect.forAedes(type, packet, 0, packet.length));
  }

  /** Answers a packet that has been checked, or leaves that to Aedes. @param packet as Aedes gets it; undefined if it does not */
  private answer(type: number, packet: Buffer | undefined): void {
    if (type === DISCONNECT) this.ending = 'goodbye';
    if (!packet) return;
    if (this.port) return this.toAedes(packet);
    this.acknowledgements.flush();
    if (type === PINGREQ) return this.acknowledge(PINGRESP);
    if (type === DISCONNECT) return this.destroy();
    this.forAedes = packet;
    this.owner.needAedes();
  }

  /** @param code the reason code for a client of MQTT 5 @param isConnect whether its CONNECT is refused */
  private refuse(why: string, code: number = CODE.malformed, isConnect = false): void {
    if (isConnect && this.state === 'stranger') return this.turnAway(refusal(code, why), why);
    this.sayWhy(code, why);
    this.destroy(new GateError(why));
  }
}
