import { codeOfRejection } from './mqtt5/codes.ts';
import type { Translator } from './mqtt5/translator.ts';
import {
  ACKNOWLEDGEMENT_BYTES,
  type AcknowledgementType,
  type Refused,
  writeAcknowledgement,
} from './wire/acknowledgement.ts';
import { PUBACK, PUBCOMP, PUBREC } from './wire/frame.ts';

/** The side of a connection that acknowledgements leave by. */
interface Line {
  readonly destroyed: boolean;
  /** With MQTT 5, acknowledgements say why a packet was refused. */
  readonly mqtt5?: Translator | undefined;
  /** Sends whole packets. */
  acknowledge(bytes: Buffer): void;
  /** Call when packets that were taken have been dealt with. */
  settle(packets: number): void;
  destroy(error: Error): void;
}

/** A packet that was received and has not been acknowledged yet: how many came before it over its connection. */
export type Pending = number;

/** A PUBLISH at QoS 0 has no acknowledgement. */
const NOTHING = 0;
/** What acknowledges a PUBLISH, by QoS. */
const TYPE_OF = [NOTHING, PUBACK, PUBREC] as const;
type PendingType = typeof NOTHING | AcknowledgementType;

/** A packet in the queue is one number, because an object for each would be garbage: its id, this if it is settled, its type. */
const SETTLED = 1 << 16;
const TYPE = 1 << 17;
/** If this many packets at the front of the queue are done with, the others are moved there. */
const MAX_DONE = 256;

/** Those that have something to send in this turn of the event loop. */
let due: Acknowledgements[] = [];

function flushDue(): void {
  const now = due;
  due = [];
  const failed: [Acknowledgements, Error][] = [];
  for (const acknowledgements of now) {
    try {
      acknowledgements.flush();
    } catch (error) {
      failed.push([acknowledgements, error as Error]);
    }
  }
  for (const [acknowledgements, error] of failed) acknowledgements.giveUp(error);
}

/**
 * The acknowledgements of one connection. They leave in the order in which the packets arrived [MQTT-4.6.0-2], even if these
 * were settled in another order, and all that are due in one turn of the event loop leave in one write.
 */
export class Acknowledgements {
  private readonly line: Line;
  /** The packets from `first` to `end` are under way; those before it are done with. */
  private readonly queue: number[] = [];
  private first = 0;
  private end = 0;
  /** How many packets came before the queue. */
  private before = 0;
  /** For the few packets that were refused, why; for those that failed, the error with which the connection closes. */
  private reasons: Map<Pending, Refused> | undefined;
  private errors: Map<Pending, Error> | undefined;
  /** The ids of packets at QoS 2 that the device has not released with PUBREL yet. */
  private unreleased: Set<number> | undefined;
  private isDue = false;

  constructor(line: Line) {
    this.line = line;
  }

  /** True if every packet so far has been acknowledged and, at QoS 2, released. */
  get isEmpty(): boolean {
    return this.first === this.end && this.held === 0;
  }

  /** The number of packets at QoS 2 that were not released. */
  get held(): number {
    return this.unreleased?.size ?? 0;
  }

  /** Queues a PUBLISH that has just arrived. Call `settle` or `fail` once it has been processed. */
  publish(qos: 0 | 1 | 2, id: number): Pending {
    return this.queued(TYPE_OF[qos], id);
  }

  /** Notes a packet id at QoS 2. False if the device has sent it before and not released it since [MQTT-4.3.3-2]. */
  hold(id: number): boolean {
    this.unreleased ??= new Set();
    if (this.unreleased.has(id)) return false;
    this.unreleased.add(id);
    return true;
  }

  /** Queues the answer to PUBREL, which is the same for an id that is unknown. */
  release(id: number): void {
    this.unreleased?.delete(id);
    this.settle(this.queued(PUBCOMP, id));
  }

  /** The packet was processed: what came of it is stored. @param reason why it was refused */
  settle(pending: Pending, reason?: Refused): void {
    if (reason !== undefined && this.isUnderWay(pending)) {
      this.reasons ??= new Map();
      this.reasons.set(pending, reason);
      const code = this.queue[pending - this.before] ?? 0;
      // A device sends no PUBREL after a PUBREC that refuses [MQTT5-4.3.3-4].
      if (typeOf(code) === PUBREC && this.line.mqtt5?.givesReasons) this.unreleased?.delete(idOf(code));
    }
    this.done(pending);
  }

  /** The packet is not acknowledged: once all earlier ones are, the connection is closed with this error. */
  fail(pending: Pending, error: Error): void {
    if (!this.isUnderWay(pending)) return;
    this.errors ??= new Map();
    this.errors.set(pending, error);
    this.done(pending);
  }

  /** Sends what is due. Call before anything else is sent that follows from it. */
  flush(): void {
    this.isDue = false;
    const { queue, line, first } = this;
    let failure: Error | undefined;
    let next = first;
    for (; next < this.end && ((queue[next] as number) & SETTLED) !== 0 && !failure; next++) {
      failure = this.errors?.get(this.before + next);
    }
    if (next === first) return;
    if (!line.destroyed) this.send(first, next);
    this.forget(next);
    if (failure) line.destroy(failure);
    line.settle(next - first);
    if (failure) this.flush();
  }

  /** Closes the connection, because an acknowledgement could not be sent. The others must not wait for it. */
  giveUp(error: Error): void {
    this.line.destroy(error);
    this.flush();
  }

  private queued(type: PendingType, id: number): Pending {
    this.queue[this.end] = type * TYPE + id;
    return this.before + this.end++;
  }

  /** False once the packet has been acknowledged, or has closed the connection. */
  private isUnderWay(pending: Pending): boolean {
    return pending >= this.before + this.first && pending < this.before + this.end;
  }

  private done(pending: Pending): void {
    if (!this.isUnderWay(pending)) return;
    const at = pending - this.before;
    this.queue[at] = (this.queue[at] as number) | SETTLED;
    if (this.isDue || at !== this.first) return;
    this.isDue = true;
    if (due.push(this) === 1) process.nextTick(flushDue);
  }

  /** Forgets the packets before `next`. */
  private forget(next: number): void {
    for (const about of [this.reasons, this.errors]) {
      if (about && about.size > 0) for (let at = this.first; at < next; at++) about.delete(this.before + at);
    }
    this.first = next;
    if (next < this.end && next < MAX_DONE) return;
    // The memory is kept for the next packets.
    this.queue.copyWithin(0, next, this.end);
    this.before += next;
    this.end -= next;
    this.first = 0;
  }

  /** Sends the acknowledgements of the packets from `first` to `end`. */
  private send(first: number, end: number): void {
    const { line, queue, reasons, errors } = this;
    const { mqtt5 } = line;
    const bytes = Buffer.allocUnsafe((end - first) * ACKNOWLEDGEMENT_BYTES);
    let parts: Buffer[] | undefined;
    let from = 0;
    let to = 0;
    for (let at = first; at < end; at++) {
      const code = queue[at] as number;
      const type = typeOf(code);
      if (type === NOTHING || errors?.has(this.before + at)) continue;
      const reason = reasons?.get(this.before + at);
      if (mqtt5 && reason !== undefined) {
        parts ??= [];
        parts.push(bytes.subarray(from, to), mqtt5.acknowledgement(type, idOf(code), codeOfRejection(reason), reason));
        from = to;
      } else {
        // Both versions have the same bytes for success.
        to = writeAcknowledgement(bytes, to, type, idOf(code));
      }
    }
    const last = bytes.subarray(from, to);
    const all = parts ? Buffer.concat([...parts, last]) : last;
    if (all.length > 0) line.acknowledge(all);
  }
}

function idOf(code: number): number {
  return code & 0xffff;
}

function typeOf(code: number): PendingType {
  return (code >> 17) as PendingType;
}
