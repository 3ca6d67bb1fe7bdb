import { isUtf8 } from 'node:buffer';
import {
  CONNECT,
  DISCONNECT,
  PINGREQ,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  packetType,
  SUBSCRIBE,
  UNSUBSCRIBE,
} from './frame.ts';

/** The flags that a packet of a type must have in its first byte [MQTT-2.2.2-2]. PUBLISH has flags of its own. */
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

/** The protocol levels that are offered, by protocol name: MQTT 3.1.1 and 3.1. */
const LEVELS: Readonly<Record<string, number>> = { MQTT: 4, MQIsdp: 3 };

/** Bits of CONNECT’s flags [MQTT-3.1.2]. */
const FLAG = { reserved: 0x01, will: 0x04, willQos: 0x18, willRetain: 0x20, password: 0x40, user: 0x80 } as const;

const NUL = 0x00;
const HASH = 0x23;
const PLUS = 0x2b;
const FIRST_BEYOND_ASCII = 0x80;

/** A packet that a client may not send; the connection must be closed [MQTT-4.8.0-1]. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation';
}

/** Why a client with another protocol level is refused. */
export const UNKNOWN_LEVEL = 'only MQTT 3.1.1 and 3.1 are offered';

/** A protocol level that is not offered; it is answered with CONNACK 1 before the connection is closed [MQTT-3.1.2-2]. */
export class UnknownLevel extends ProtocolViolation {
  /** The client id, if the level’s packets are known. */
  readonly clientId: string | undefined;

  constructor(clientId: string | undefined) {
    super(UNKNOWN_LEVEL);
    this.clientId = clientId;
  }
}

/** One entry of a SUBSCRIBE packet. */
export interface RequestedFilter {
  readonly topic: string;
  readonly qos: number;
}

/**
 * Checks a whole packet of MQTT 3.1.1 from a client against everything that the specification says about its form. Aedes’s
 * parser checks only part of it.
 *
 * @param start where the packet begins in `bytes`
 * @param end where the next packet begins
 * @throws ProtocolViolation that says what is wrong
 */
export function checkPacket(bytes: Buffer, start: number, end: number): void {
  const first = bytes[start] as number;
  const type = packetType(first);
  const reader = new PacketReader(bytes, bodyOf(bytes, start), end);
  if (type === PUBLISH) return checkPublish(reader, first);
  const flags = FLAGS[type];
  if (flags === undefined) throw new ProtocolViolation(`a client may not send packets of type ${type}`);
  if ((first & 0x0f) !== flags) throw new ProtocolViolation(`packets of type ${type} must have the flags ${flags}`);
  if (type === CONNECT) checkConnect(reader);
  else if (type === SUBSCRIBE) readSubscribe(reader);
  else if (type === UNSUBSCRIBE) checkUnsubscribe(reader);
  else if (type !== PINGREQ && type !== DISCONNECT) reader.packetId();
  reader.finish();
}

/** The client id of a CONNECT of MQTT 5, read from the flags on, so that operators learn which device speaks it. */
function clientIdOf5(reader: PacketReader): string | undefined {
  try {
    reader.skip(3);
    reader.skip(reader.variable());
    return reader.text();
  } catch {
    return undefined;
  }
}

/** The packet id and the filters of a SUBSCRIBE packet. @throws ProtocolViolation */
export function parseSubscribe(bytes: Buffer, start: number, end: number) {
  return readSubscribe(new PacketReader(bytes, bodyOf(bytes, start), end));
}

function checkPublish(reader: PacketReader, first: number): void {
  const qos = (first >> 1) & 3;
  if (qos === 3) throw new ProtocolViolation('there is no QoS 3');
  if (qos === 0 && (first & 8) !== 0) throw new ProtocolViolation('a PUBLISH with QoS 0 must not have DUP');
  reader.topicName();
  if (qos > 0) reader.packetId();
}

function checkConnect(reader: PacketReader): void {
  const protocol = reader.text();
  const level = LEVELS[protocol];
  if (level === undefined) throw new ProtocolViolation('the protocol name must be MQTT');
  const offered = reader.byte();
  if (offered !== level) throw new UnknownLevel(offered === 5 ? clientIdOf5(reader) : undefined);
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

/** Where the part after the fixed header begins. */
function bodyOf(bytes: Buffer, start: number): number {
  let at = start + 1;
  while (((bytes[at] as number) & 0x80) !== 0) at++;
  return at + 1;
}

/** Reads the fields of one packet. Every method throws a `ProtocolViolation` if there is no valid field. */
class PacketReader {
  private readonly bytes: Buffer;
  private readonly end: number;
  private at: number;

  constructor(bytes: Buffer, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get isAtEnd(): boolean {
    return this.at === this.end;
  }

  byte(): number {
    this.skip(1);
    return this.bytes[this.at - 1] as number;
  }

  number(): number {
    this.skip(2);
    return this.bytes.readUInt16BE(this.at - 2);
  }

  /** A Variable Byte Integer of at most four bytes [MQTT5 1.5.5]. */
  variable(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value;
  }

  packetId(): number {
    const id = this.number();
    if (id === 0) throw new ProtocolViolation('a packet id must not be 0');
    return id;
  }

  /** UTF-8 text without U+0000 [MQTT-1.5.3-1, 1.5.3-2]. */
  text(): string {
    const start = this.string(false);
    return this.bytes.toString('utf8', start, this.at);
  }

  /** Text of at least one character without wildcards [MQTT-4.7.3-1, 3.3.2-2]. */
  topicName(): void {
    const start = this.string(true);
    if (start === this.at) throw new ProtocolViolation('a topic must not be empty');
  }

  topicFilter(): string {
    const filter = this.text();
    const levels = filter.split('/');
    const isBad = (level: string, i: number) =>
      level.length > 1 ? /[+#]/.test(level) : level === '#' && i < levels.length - 1;
    if (filter === '') throw new ProtocolViolation('a topic filter must not be empty');
    if (levels.some(isBad)) throw new ProtocolViolation('a wildcard must be a whole level, and # the last one');
    return filter;
  }

  skip(length: number): void {
    this.at += length;
    if (this.at > this.end) throw new ProtocolViolation('the packet is shorter than its fields');
  }

  finish(): void {
    if (!this.isAtEnd) throw new ProtocolViolation('the packet is longer than its fields');
  }

  /** Checks a string and skips it, without decoding it, because every vote has a topic. Returns where it begins. */
  private string(isTopicName: boolean): number {
    const length = this.number();
    const start = this.at;
    this.skip(length);
    let isAscii = true;
    for (let i = start; i < this.at; i++) {
      const byte = this.bytes[i] as number;
      if (byte === NUL) throw new ProtocolViolation('text must not contain U+0000');
      if (isTopicName && (byte === PLUS || byte === HASH)) throw new ProtocolViolation('a topic has no wildcards');
      if (byte >= FIRST_BEYOND_ASCII) isAscii = false;
    }
    if (!isAscii && !isUtf8(this.bytes.subarray(start, this.at))) throw new ProtocolViolation('text must be UTF-8');
    return start;
  }
}
