import { PUBACK } from '../wire/frame.ts';
import { bodyOf } from '../wire/packet-reader.ts';
import { packetOf, twoBytes } from './writing.ts';

/** Maximum number of topics with a message that waits because the client takes no more at once. */
const MAX_HELD = 64;
/** Maximum number of messages that wait for the PUBACK of an earlier one. */
const MAX_EXPECTED = 1_000;

const RETAIN = 0x01;
const NO_PROPERTIES = Buffer.from([0]);

/** What a client takes. */
export interface Capacity {
  /** Maximum number of unacknowledged messages. */
  readonly receiveMaximum: number;
  /** Maximum size of a packet in bytes. */
  readonly maximumPacketSize: number;
}

/** What the client wants of the messages on a topic. */
export interface Wishes {
  isAsPublished(topic: string): boolean;
  wantsRetained(topic: string): boolean;
}

interface HeldMessage {
  readonly packetId: number;
  readonly packet: Buffer;
}

/**
 * Messages to one client of MQTT 5. Translates them, and holds them while the client takes no more: the newest of each topic,
 * because every message is a whole snapshot. Aedes, which knows no such limits, is sent a PUBACK for each message that the client
 * does not get. As PUBACKs must come in the order of the messages [MQTT-4.6.0-2], one that is made up waits for those before it.
 */
export class Outbox {
  private readonly capacity: Capacity;
  private readonly wishes: Wishes;
  private readonly send: (packet: Buffer) => void;
  private readonly toAedes: (packet: Buffer) => void;
  /** Messages with QoS 1 that Aedes expects a PUBACK for, by packet id, oldest first. */
  private readonly expected = new Map<number, 'sent' | 'held' | 'done'>();
  private readonly held = new Map<string, HeldMessage>();
  /** The number of messages that the client has not acknowledged. */
  private unacknowledged = 0;

  /** @param send writes to the client @param toAedes passes a packet to Aedes as if the client had sent it */
  constructor(capacity: Capacity, wishes: Wishes, send: (packet: Buffer) => void, toAedes: (packet: Buffer) => void) {
    this.capacity = capacity;
    this.wishes = wishes;
    this.send = send;
    this.toAedes = toAedes;
  }

  /** True if the client leaves a message unacknowledged for so long that too many wait behind it. */
  get isStalled(): boolean {
    return this.expected.size > MAX_EXPECTED;
  }

  /** A PUBLISH by Aedes or the broker, of MQTT 3.1.1, for the client; undefined if it is not sent now. */
  publish(packet: Buffer): Buffer | undefined {
    const first = packet[0] as number;
    const hasPacketId = (first & 6) !== 0;
    const body = bodyOf(packet, 0);
    const topicEnd = body + 2 + packet.readUInt16BE(body);
    const payload = topicEnd + (hasPacketId ? 2 : 0);
    const packetId = hasPacketId ? packet.readUInt16BE(topicEnd) : 0;
    const topic = packet.toString('utf8', body + 2, topicEnd);
    const isRetained = (first & RETAIN) !== 0;
    // Everything that has subscribers is published with RETAIN, except for receipts.
    const flags = this.wishes.isAsPublished(topic) && !topic.startsWith('receipt/') ? first | RETAIN : first;
    const translated = packetOf(flags, packet.subarray(body, payload), NO_PROPERTIES, packet.subarray(payload));
    const isWanted = !isRetained || this.wishes.wantsRetained(topic);
    const isTaken = isWanted && translated.length <= this.capacity.maximumPacketSize;
    if (!hasPacketId) return isTaken ? translated : undefined;
    if (!isTaken) {
      this.expected.set(packetId, 'done');
      this.settle();
      return undefined;
    }
    if (this.unacknowledged < this.capacity.receiveMaximum && !this.held.has(topic)) {
      this.expected.set(packetId, 'sent');
      this.unacknowledged++;
      return translated;
    }
    this.hold(topic, { packetId, packet: translated });
    return undefined;
  }

  /** Call for a PUBACK by the client. One that nothing was sent for is ignored. */
  acknowledged(packetId: number): void {
    if (this.expected.get(packetId) !== 'sent') return;
    this.unacknowledged--;
    // The place in the order is kept: Aedes must not hear of a later message first.
    this.expected.set(packetId, 'done');
    this.settle();
    const next = this.held.entries().next();
    if (next.done) return;
    const [topic, { packetId: nextId, packet }] = next.value;
    this.held.delete(topic);
    this.expected.set(nextId, 'sent');
    this.unacknowledged++;
    this.send(packet);
  }

  private hold(topic: string, message: HeldMessage): void {
    const { held } = this;
    const older = held.get(topic);
    const [[oldestTopic, oldest] = []] = held;
    if (older) this.drop(topic, older);
    else if (held.size >= MAX_HELD && oldestTopic !== undefined && oldest) this.drop(oldestTopic, oldest);
    this.expected.set(message.packetId, 'held');
    held.set(topic, message);
    this.settle();
  }

  private drop(topic: string, { packetId }: HeldMessage): void {
    this.held.delete(topic);
    this.expected.set(packetId, 'done');
  }

  /** Tells Aedes which messages are done with, as far as all before them are. */
  private settle(): void {
    for (const [packetId, state] of this.expected) {
      if (state !== 'done') return;
      this.expected.delete(packetId);
      this.toAedes(packetOf(PUBACK << 4, twoBytes(packetId)));
    }
  }
}
