import {
  CONNECT,
  DISCONNECT,
  PINGREQ,
  PUBACK,
  PUBCOMP,
  PUBREC,
  PUBREL,
  packetType,
  SUBSCRIBE,
  UNSUBSCRIBE,
} from './frame.ts';
import { bodyOf, PacketReader, ProtocolViolation } from './packet-reader.ts';

/** The flags that a packet of a type must have in its first byte [MQTT-2.2.2-2]. PUBLISH is read by `PublishReader`. */
const FLAGS: Readonly<Record<number, number>> = {
  [CONNECT]: 0,
  [PUBACK]: 0,
  [PUBREC]: 0,
  [PUBREL]: 2,
  [PUBCOMP]: 0,
  [SUBSCRIBE]: 2,
  [UNSUBSCRIBE]: 2,
  [PINGREQ]: 0,
  [DISCONNECT]: 0,
};

/** The protocol levels of MQTT 3.1.1 and 3.1, by protocol name. MQTT 5 is read elsewhere. */
const LEVELS: Readonly<Record<string, number>> = { MQTT: 4, MQIsdp: 3 };

/** Bits of CONNECT’s flags [MQTT-3.1.2]. */
const FLAG = { reserved: 0x01, will: 0x04, willQos: 0x18, willRetain: 0x20, password: 0x40, user: 0x80 } as const;

/** Why a client with another protocol level is refused. */
export const UNKNOWN_LEVEL = 'only MQTT 5, 3.1.1 and 3.1 are offered';

/** CONNACK with return code 1: unacceptable protocol level. */
export const UNACCEPTABLE_LEVEL = Buffer.from([0x20, 0x02, 0x00, 0x01]);

/** A protocol level that is not offered; it is answered with CONNACK 1 before the connection is closed [MQTT-3.1.2-2]. */
export class UnknownLevel extends ProtocolViolation {
  constructor() {
    super(UNKNOWN_LEVEL);
  }
}

/** One entry of a SUBSCRIBE packet. */
export interface RequestedFilter {
  readonly topic: string;
  readonly qos: number;
}

/**
 * Checks a whole packet of MQTT 3.1.1 from a client, other than PUBLISH, against everything that the specification says about
 * its form. Aedes’s parser checks only part of it.
 *
 * @param start where the packet begins in `bytes`
 * @param end where the next packet begins
 * @throws ProtocolViolation that says what is wrong
 */
export function checkPacket(bytes: Buffer, start: number, end: number): void {
  const first = bytes[start] as number;
  const type = packetType(first);
  const reader = new PacketReader(bytes, bodyOf(bytes, start), end);
  const flags = FLAGS[type];
  if (flags === undefined) throw new ProtocolViolation(`a client may not send packets of type ${type}`);
  if ((first & 0x0f) !== flags) throw new ProtocolViolation(`packets of type ${type} must have the flags ${flags}`);
  if (type === CONNECT) checkConnect(reader);
  else if (type === SUBSCRIBE) readSubscribe(reader);
  else if (type === UNSUBSCRIBE) checkUnsubscribe(reader);
  else if (type !== PINGREQ && type !== DISCONNECT) reader.packetId();
  reader.finish();
}

/** The packet id of a PUBREL that `checkPacket` has checked. */
export function packetIdOf(bytes: Buffer, start: number, end: number): number {
  return new PacketReader(bytes, bodyOf(bytes, start), end).packetId();
}

/** The packet id and the filters of a SUBSCRIBE packet. @throws ProtocolViolation */
export function parseSubscribe(bytes: Buffer, start: number, end: number) {
  return readSubscribe(new PacketReader(bytes, bodyOf(bytes, start), end));
}

function checkConnect(reader: PacketReader): void {
  const protocol = reader.text();
  const level = LEVELS[protocol];
  if (level === undefined) throw new ProtocolViolation('the protocol name must be MQTT');
  if (reader.byte() !== level) throw new UnknownLevel();
  const flags = reader.byte();
  if (flags & FLAG.reserved) throw new ProtocolViolation('the reserved flag of CONNECT must be 0');
  const hasWill = (flags & FLAG.will) !== 0;
  if (!hasWill && flags & (FLAG.willQos | FLAG.willRetain)) throw new ProtocolViolation('there is no will');
  if ((flags & FLAG.willQos) === FLAG.willQos) throw new ProtocolViolation('there is no QoS 3');
  if ((flags & (FLAG.user | FLAG.password)) === FLAG.password)
    throw new ProtocolViolation('a password needs a user name');
  reader.skip(2);
  reader.text();
  if (hasWill) {
    reader.topicName();
    reader.skip(reader.number());
  }
  if (flags & FLAG.user) reader.text();
  if (flags & FLAG.password) reader.skip(reader.number());
}

function readSubscribe(reader: PacketReader): { packetId: number; filters: RequestedFilter[] } {
  const packetId = reader.packetId();
  const filters: RequestedFilter[] = [];
  do {
    const topic = reader.topicFilter();
    const qos = reader.byte();
    if (qos > 2) throw new ProtocolViolation('the requested QoS must be 0, 1 or 2');
    filters.push({ topic, qos });
  } while (!reader.isAtEnd);
  return { packetId, filters };
}

function checkUnsubscribe(reader: PacketReader): void {
  reader.packetId();
  do reader.topicFilter();
  while (!reader.isAtEnd);
}
