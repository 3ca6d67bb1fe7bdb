import { bodyOf, PacketReader, ProtocolViolation } from './packet-reader.ts';

/** A PUBLISH packet from a device. */
export interface Publish {
  readonly topic: string;
  /** The packet id; 0 at QoS 0, which has none. */
  readonly id: number;
  readonly qos: 0 | 1 | 2;
  readonly isDup: boolean;
  readonly isRetained: boolean;
  /** In memory that is used again for what is read next, so copy it if it is kept. */
  readonly payload: Buffer;
}

const NO_TOPIC = Buffer.alloc(0);

/** Reads the PUBLISH packets of one connection in MQTT 3.1.1. Devices repeat their topics, so the last one is remembered. */
export class PublishReader {
  /** The last topic with its length, as it was sent. */
  private bytes = NO_TOPIC;
  private topic = '';

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
    if (this.bytes.length === 0 || !reader.skipIf(this.bytes)) {
      this.topic = reader.topicName();
      // A copy, because a part of the bytes would keep all of them in memory.
      this.bytes = Buffer.from(reader.since(at));
    }
    const id = qos > 0 ? reader.packetId() : 0;
    return {
      topic: this.topic,
      id,
      qos: qos as 0 | 1 | 2,
      isDup,
      isRetained: (first & 1) !== 0,
      payload: reader.rest(),
    };
  }
}
