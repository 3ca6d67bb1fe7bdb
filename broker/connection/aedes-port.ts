import { Duplex } from 'node:stream';
import { CONNACK, frameEnd, packetType } from './wire/frame.ts';

/** The gate that a port belongs to. */
interface PortGate {
  readonly socket: Duplex;
  acknowledge(bytes: Buffer): void;
  send(bytes: Buffer, done: (error?: Error | null) => void): void;
  resume(): void;
  destroy(error: Error | null): void;
}

/**
 * Aedes’s end of a connection: a stream in which Aedes finds what the gate leaves to it, and to which it writes. Whole packets
 * go both ways.
 */
export class AedesPort extends Duplex {
  /** True while Aedes reads nothing more. */
  isFull = false;
  private readonly gate: PortGate;
  private connack: Buffer | undefined;
  /** True once Aedes has sent its CONNACK, which the client does not get. */
  private isIntroduced = false;

  /** @param connack what the client gets when Aedes sends CONNACK; nothing if it has its answer already */
  constructor(gate: PortGate, connack: Buffer | undefined) {
    super({ allowHalfOpen: false, emitClose: true });
    this.gate = gate;
    this.connack = connack;
  }

  /** Passes a whole packet to Aedes. */
  pass(packet: Buffer): void {
    if (!this.destroyed) this.isFull = !this.push(packet);
  }

  override _read(): void {
    if (!this.isFull) return;
    this.isFull = false;
    this.gate.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.deliver(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.deliver(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: () => void): void {
    this.gate.socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.gate.destroy(error);
    done(error);
  }

  private deliver(bytes: Buffer, done: (error?: Error | null) => void): void {
    try {
      const rest = this.isIntroduced ? bytes : this.introduce(bytes);
      if (rest.length > 0) this.gate.send(rest, done);
      else done();
    } catch (error) {
      // Aedes writes in a later turn of the event loop, where nobody would catch it.
      done(error as Error);
    }
  }

  /**
   * Sends the client its CONNACK before anything else, and drops that of Aedes. Aedes may send messages before it, because it
   * restores the subscriptions of a session first.
   */
  private introduce(bytes: Buffer): Buffer {
    if (this.connack) this.gate.acknowledge(this.connack);
    this.connack = undefined;
    for (let at = 0, end = 0; at < bytes.length; at = end) {
      end = frameEnd(bytes, at);
      if (packetType(bytes[at] as number) !== CONNACK) continue;
      this.isIntroduced = true;
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    }
    return bytes;
  }
}
