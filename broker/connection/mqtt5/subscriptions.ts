import { maySubscribe } from '../permissions.ts';
import { SUBACK, SUBSCRIBE, UNSUBACK, UNSUBSCRIBE } from '../wire/frame.ts';
import { type PacketReader, ProtocolViolation } from '../wire/packet-reader.ts';
import { CODE, Mqtt5Error } from './codes.ts';
import { PROPERTY, readProperties } from './properties.ts';
import { packetOf, propertiesOf, textOf, twoBytes } from './writing.ts';

/** Bits of the options of a subscription [MQTT5 3.8.3.1]. */
const OPTION = { qos: 0x03, noLocal: 0x04, asPublished: 0x08, reserved: 0xc0 } as const;
const RETAIN_HANDLING_SHIFT = 4;
/** Values of Retain Handling: send retained messages only if the subscription is new, or never; 0 is always. */
const [IF_NEW, NEVER] = [1, 2];

const SHARED = '$share/';
/** SUBACK’s return code in MQTT 3.1.1 for a refused filter. */
const REFUSED = 0x80;

interface Options {
  /** True if messages keep the RETAIN flag with which they were published. */
  readonly asPublished: boolean;
}

/** A subscription that outlives its connection. */
export interface StoredOptions extends Partial<Options> {
  readonly topic: string;
}

/**
 * The subscriptions of one connection of MQTT 5: translates SUBSCRIBE and UNSUBSCRIBE for Aedes, and its answers back. Filters
 * have no wildcards here, so each is the topic of the messages that it brings.
 */
export class Subscriptions {
  private readonly known = new Map<string, Options>();
  /** Topics whose retained messages are not wanted. */
  private readonly withoutRetained = new Set<string>();
  /** The topics of SUBSCRIBE packets that Aedes has not answered, by packet id. */
  private readonly subscribing = new Map<number, readonly string[]>();
  /** The reason codes for UNSUBSCRIBE packets that Aedes has not answered, by packet id. */
  private readonly unsubscribing = new Map<number, readonly number[]>();

  /** Call with what is stored when a session is continued. */
  restore(stored: readonly StoredOptions[]): void {
    for (const { topic, asPublished = false } of stored) this.known.set(topic, { asPublished });
  }

  /** True if messages on a topic keep the RETAIN flag with which they were published. */
  isAsPublished(topic: string): boolean {
    return this.known.get(topic)?.asPublished === true;
  }

  /** False if the retained message of a topic is not wanted. */
  wantsRetained(topic: string): boolean {
    return !this.withoutRetained.has(topic);
  }

  /** Reads SUBSCRIBE, and returns it for Aedes. @throws ProtocolViolation */
  subscribe(reader: PacketReader): Buffer {
    const packetId = reader.packetId();
    if (readProperties(reader, 'SUBSCRIBE').has(PROPERTY.subscriptionId)) {
      throw new Mqtt5Error(CODE.noSubscriptionIds, 'subscription identifiers are not offered');
    }
    const topics: string[] = [];
    const parts: Buffer[] = [];
    do {
      const topic = reader.topicFilter();
      const options = reader.byte();
      this.note(topic, options);
      topics.push(topic);
      parts.push(textOf(topic), Buffer.from([options & OPTION.qos]));
    } while (!reader.isAtEnd);
    this.subscribing.set(packetId, topics);
    return packetOf((SUBSCRIBE << 4) | 2, twoBytes(packetId), ...parts);
  }

  /** Reads UNSUBSCRIBE, and returns it for Aedes. @throws ProtocolViolation */
  unsubscribe(reader: PacketReader): Buffer {
    const packetId = reader.packetId();
    readProperties(reader, 'UNSUBSCRIBE');
    const topics: string[] = [];
    do topics.push(reader.topicFilter());
    while (!reader.isAtEnd);
    const codes = topics.map((topic) => (this.forget(topic) ? CODE.success : CODE.noSubscription));
    this.unsubscribing.set(packetId, codes);
    return packetOf((UNSUBSCRIBE << 4) | 2, twoBytes(packetId), ...topics.map(textOf));
  }

  /** SUBACK with a reason code for each filter. @param returnCodes Aedes’s, in the order of the filters */
  suback(packetId: number, returnCodes: Buffer, device: string): Buffer {
    const topics = this.subscribing.get(packetId) ?? [];
    this.subscribing.delete(packetId);
    const codes = [...returnCodes].map((code, i) => {
      const topic = topics[i] ?? '';
      if (code !== REFUSED) return code;
      this.forget(topic);
      return whyRefused(topic, device);
    });
    return packetOf(SUBACK << 4, twoBytes(packetId), propertiesOf(), Buffer.from(codes));
  }

  unsuback(packetId: number): Buffer {
    const codes = this.unsubscribing.get(packetId) ?? [];
    this.unsubscribing.delete(packetId);
    return packetOf(UNSUBACK << 4, twoBytes(packetId), propertiesOf(), Buffer.from(codes));
  }

  private note(topic: string, options: number): void {
    const retainHandling = (options >> RETAIN_HANDLING_SHIFT) & 3;
    if ((options & OPTION.qos) === 3) throw new Mqtt5Error(CODE.protocol, 'there is no QoS 3');
    if (retainHandling > NEVER) throw new Mqtt5Error(CODE.protocol, 'there is no Retain Handling 3');
    if (options & OPTION.reserved) throw new ProtocolViolation('the reserved bits of subscription options must be 0');
    if (options & OPTION.noLocal && topic.startsWith(SHARED)) {
      throw new Mqtt5Error(CODE.protocol, 'a shared subscription cannot have No Local');
    }
    if (retainHandling === NEVER || (retainHandling === IF_NEW && this.known.has(topic))) {
      this.withoutRetained.add(topic);
    } else this.withoutRetained.delete(topic);
    this.known.set(topic, { asPublished: (options & OPTION.asPublished) !== 0 });
  }

  /** True if there was a subscription. */
  private forget(topic: string): boolean {
    this.withoutRetained.delete(topic);
    return this.known.delete(topic);
  }
}

function whyRefused(filter: string, device: string): number {
  if (filter.startsWith(SHARED)) return CODE.noSharedSubscriptions;
  if (/[+#]/.test(filter)) return CODE.noWildcards;
  return maySubscribe(filter, device) ? CODE.quota : CODE.notAuthorized;
}
