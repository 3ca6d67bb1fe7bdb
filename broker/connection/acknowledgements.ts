import { codeOfRejection } from './mqtt5/codes.ts';
import type { Translator } from './mqtt5/translator.ts';
import {
  ACKNOWLEDGEMENT_BYTES,
  type Acknowledgement,
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

/** A packet that was received and has not been acknowledged yet. */
export interface Pending {
  /** Undefined for a PUBLISH at QoS 0, which is not acknowledged. */
  readonly type: Acknowledgement['type'] | undefined;
  readonly id: number;
  isSettled: boolean;
  reason: Refused | undefined;
  /** Why the packet is not acknowledged, but its connection closed. */
  error: Error | undefined;
}

/** What acknowledges a PUBLISH, by QoS. */
const TYPE_OF = [undefined, PUBACK, PUBREC] as const;

/** Those that have something to send in this turn of the event loop. */
let due: Acknowledgements[] = [];

function flushDue(): void {
  const now = due;
  due = [];
  for (const acknowledgements of now) acknowledgements.flush();
}

/**
 * The acknowledgements of one connection. They leave in the order in which the packets arrived [MQTT-4.6.0-2], even if these
 * were settled in another order, and all that are due in one turn of the event loop leave in one write.
 */
export class Acknowledgements {
  private readonly line: Line;
  private readonly queue: Pending[] = [];
  /** The ids of packets at QoS 2 that the device has not released with PUBREL yet. */
  private unreleased: Set<number> | undefined;
  private isDue = false;

  constructor(line: Line) {
    this.line = line;
  }

  /** True if every packet so far has been acknowledged and, at QoS 2, released. */
  get isEmpty(): boolean {
    return this.queue.length === 0 && this.held === 0;
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
    pending.reason = reason;
    // A device sends no PUBREL after a PUBREC that refuses [MQTT5-4.3.3-4].
    if (reason !== undefined && pending.type === PUBREC && this.line.mqtt5?.givesReasons) {
      this.unreleased?.delete(pending.id);
    }
    this.done(pending);
  }

  /** The packet is not acknowledged: once all earlier ones are, the connection is closed with this error. */
  fail(pending: Pending, error: Error): void {
    pending.error = error;
    this.done(pending);
  }

  /** Sends what is due. Call before anything else is sent that follows from it. */
  flush(): void {
    this.isDue = false;
    const { queue, line } = this;
    let count = 0;
    let failure: Error | undefined;
    for (let next = queue[0]; next?.isSettled && !failure; next = queue[++count]) failure = next.error;
    if (count === 0) return;
    if (!line.destroyed) this.send(count);
    if (count === queue.length) queue.length = 0;
    else queue.splice(0, count);
    if (failure) line.destroy(failure);
    line.settle(count);
    if (failure) this.flush();
  }

  private queued(type: Pending['type'], id: number): Pending {
    const pending = { type, id, isSettled: false, reason: undefined, error: undefined };
    this.queue.push(pending);
    return pending;
  }

  private done(pending: Pending): void {
    pending.isSettled = true;
    if (this.isDue || this.queue[0] !== pending) return;
    this.isDue = true;
    if (due.push(this) === 1) process.nextTick(flushDue);
  }

  private send(count: number): void {
    const { line, queue } = this;
    const { mqtt5 } = line;
    const bytes = Buffer.allocUnsafe(count * ACKNOWLEDGEMENT_BYTES);
    let parts: Buffer[] | undefined;
    let from = 0;
    let end = 0;
    for (let i = 0; i < count; i++) {
      const pending = queue[i] as Pending;
      if (!isAcknowledged(pending)) continue;
      const { type, id, reason } = pending;
      if (mqtt5 && reason !== undefined) {
        parts ??= [];
        parts.push(bytes.subarray(from, end), mqtt5.acknowledgement(type, id, codeOfRejection(reason), reason));
        from = end;
      } else {
        // Both versions have the same bytes for success.
        end = writeAcknowledgement(bytes, end, pending);
      }
    }
    const last = bytes.subarray(from, end);
    const all = parts ? Buffer.concat([...parts, last]) : last;
    if (all.length > 0) line.acknowledge(all);
  }
}

function isAcknowledged(pending: Pending): pending is Pending & Acknowledgement {
  return pending.type !== undefined && pending.error === undefined;
}
