import { bodyOf, PacketReader, ProtocolViolation } from '../wire/packet-reader.ts';
import type { Publish } from '../wire/publish.ts';
import { CODE, Mqtt5Error } from './codes.ts';
import { PROPERTY, readProperties } from './properties.ts';

/** How many topic aliases a connection may use. */
export const TOPIC_ALIASES = 16;

/** Maximum length of a topic that an alias stands for. The topics of devices are shorter. */
const MAX_ALIASED = 256;

const NO_TOPIC = Buffer.alloc(0);
/** A text of no characters. */
const EMPTY_TEXT = Buffer.from([0, 0]);
/** Properties of no length. */
const NO_PROPERTIES = Buffer.from([0]);

/**
 * Reads the PUBLISH packets of one connection in MQTT 5. Properties are checked and dropped, except for topic aliases. The last
 * topic is remembered, because devices repeat their topics.
 */
export class PublishReader5 {
  /** The last topic with its length, as it was sent; empty if there was none. */
  private bytes = NO_TOPIC;
  private topic = '';
  /** Topics by alias. */
  private readonly aliases = new Map<number, string>();

  /**
   * Reads a whole packet where it lies.
   *
   * @param start where the packet begins in `bytes`
   * @param end where the next packet begins
   * @throws ProtocolViolation that says what is wrong
   */
  read(bytes: Buffer, start: number, end: number): Publish {
    const first = bytes[start] as number;
    const qos = (first >> 1) & 3;
    const isDup = (first & 8) !== 0;
    if (qos === 3) throw new ProtocolViolation('there is no QoS 3');
    if (qos === 0 && isDup) throw new ProtocolViolation('a PUBLISH with QoS 0 must not have DUP');
    const at = bodyOf(bytes, start);
    const reader = new PacketReader(bytes, at, end);
    const sent = this.readTopic(reader, at);
    const id = qos > 0 ? reader.packetId() : 0;
    // Most votes have no properties, which takes one byte to say.
    const hasProperties = !reader.skipIf(NO_PROPERTIES);
    const alias = hasProperties ? readProperties(reader, 'PUBLISH').get(PROPERTY.topicAlias) : undefined;
    const topic = alias === undefined ? sent : this.resolve(alias, sent);
    if (topic === '') throw new Mqtt5Error(CODE.protocol, 'a PUBLISH needs a topic or a topic alias');
    return { topic, id, qos: qos as 0 | 1 | 2, isDup, isRetained: (first & 1) !== 0, payload: reader.rest() };
  }

  /** The topic that was sent; empty if there is to be an alias instead. */
  private readTopic(reader: PacketReader, at: number): string {
    if (this.bytes.length > 0 && reader.skipIf(this.bytes)) return this.topic;
    if (reader.skipIf(EMPTY_TEXT)) return '';
    this.topic = reader.topicName();
    // A copy, because a part of the bytes would keep all of them in memory.
    this.bytes = Buffer.from(reader.since(at));
    return this.topic;
  }

  private resolve(alias: number, topic: string): string {
    if (alias === 0 || alias > TOPIC_ALIASES) {
      throw new Mqtt5Error(CODE.badAlias, `topic aliases are 1 to ${TOPIC_ALIASES}, not ${alias}`);
    }
    if (topic !== '') {
      if (topic.length > MAX_ALIASED) throw new Mqtt5Error(CODE.badTopic, 'a topic this long has no use here');
      this.aliases.set(alias, topic);
      return topic;
    }
    const known = this.aliases.get(alias);
    if (known === undefined) throw new Mqtt5Error(CODE.protocol, `topic alias ${alias} stands for no topic yet`);
    return known;
  }
}
