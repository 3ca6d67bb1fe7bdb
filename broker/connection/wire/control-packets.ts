import { DISCONNECT, PINGREQ, PUBACK, PUBCOMP, PUBREC, PUBREL, packetType, SUBSCRIBE, UNSUBSCRIBE } from './frame.ts';
import { bodyOf, PacketReader, ProtocolViolation } from './packet-reader.ts';

/** The flags that a packet of a type must have in its first byte [MQTT-2.2.2-2]. PUBLISH is read by `PublishReader`. */
const FLAGS: Readonly<Record<number, number>> = {
  [PUBACK]: 0,
  [PUBREC]: 0,
  [PUBREL]: 2,
  [PUBCOMP]: 0,
  [SUBSCRIBE]: 2,
  [UNSUBSCRIBE]: 2,
  [PINGREQ]: 0,
  [DISCONNECT]: 0,
};

/** One entry of a SUBSCRIBE packet. */
export interface RequestedFilter {
  readonly topic: string;
  readonly qos: number;
}

/**
 * Checks a whole packet of MQTT 3.1.1 from a client, other than CONNECT and PUBLISH, against everything that the specification says about
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
  if (type === SUBSCRIBE) readSubscribe(reader);
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
