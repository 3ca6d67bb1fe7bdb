import { bodyOf, PacketReader, ProtocolViolation } from '../wire/packet-reader.ts';
import { CODE, Mqtt5Error } from './codes.ts';
import { PROPERTY, readProperties } from './properties.ts';
import { packetOf, textOf, twoBytes } from './writing.ts';

/** Protocol name and level of MQTT 5, as they are at the beginning of CONNECT. */
const MQTT_5 = Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 5]);
const MQTT_3_1_1 = Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4]);
const CONNECT_BYTE = 0x10;

const FLAG = {
  reserved: 0x01,
  clean: 0x02,
  will: 0x04,
  willQos: 0x18,
  willRetain: 0x20,
  password: 0x40,
  user: 0x80,
} as const;

/** What a client that does not say so can take [MQTT5 3.1.2.11]. */
const DEFAULT_RECEIVE_MAXIMUM = 65_535;

export interface Will {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly isRetained: boolean;
  /** How long in seconds the will waits after the end of the connection. */
  readonly delaySeconds: number;
}

/** CONNECT of MQTT 5. */
export interface Connect5 {
  /** Empty if the client leaves its id to the server. */
  readonly clientId: string;
  readonly user: string | undefined;
  readonly password: Buffer | undefined;
  readonly keepAlive: number;
  readonly isCleanStart: boolean;
  /** How long in seconds the session is to be kept; 0xffffffff means for ever. */
  readonly sessionExpirySeconds: number;
  /** How many unacknowledged messages with QoS 1 the client takes. */
  readonly receiveMaximum: number;
  /** Size in bytes of the largest packet that the client takes. */
  readonly maximumPacketSize: number;
  /** False if reason strings may be sent only in CONNACK and DISCONNECT. */
  readonly wantsReasons: boolean;
  readonly will: Will | undefined;
}

/** True if a packet at `start` is a CONNECT with the protocol name and level of MQTT 5. */
export function isConnect5(bytes: Buffer, start: number): boolean {
  const body = bodyOf(bytes, start);
  return bytes.subarray(body, body + MQTT_5.length).equals(MQTT_5);
}

/** Reads a CONNECT packet. @throws ProtocolViolation, or Mqtt5Error if the packet is well-formed */
export function readConnect(bytes: Buffer, start: number, end: number): Connect5 {
  if (bytes[start] !== CONNECT_BYTE) throw new ProtocolViolation('CONNECT must not have flags');
  const reader = new PacketReader(bytes, bodyOf(bytes, start), end);
  reader.skip(MQTT_5.length);
  const flags = reader.byte();
  const hasWill = (flags & FLAG.will) !== 0;
  const willQos = (flags & FLAG.willQos) >> 3;
  if (flags & FLAG.reserved) throw new ProtocolViolation('the reserved flag of CONNECT must be 0');
  if (!hasWill && flags & (FLAG.willQos | FLAG.willRetain)) throw new ProtocolViolation('there is no will');
  if (willQos === 3) throw new ProtocolViolation('there is no QoS 3');
  const keepAlive = reader.number();
  const properties = readProperties(reader, 'CONNECT');
  const clientId = reader.text();
  const will = hasWill ? readWill(reader, willQos, (flags & FLAG.willRetain) !== 0) : undefined;
  const user = flags & FLAG.user ? reader.text() : undefined;
  const password = flags & FLAG.password ? reader.binary() : undefined;
  reader.finish();
  if (properties.has(PROPERTY.authenticationMethod)) {
    throw new Mqtt5Error(CODE.badAuthentication, 'no authentication methods are offered; use a user name and password');
  }
  if (properties.has(PROPERTY.authenticationData)) {
    throw new Mqtt5Error(CODE.protocol, 'authentication data without a method');
  }
  return {
    clientId,
    user,
    password,
    keepAlive,
    isCleanStart: (flags & FLAG.clean) !== 0,
    sessionExpirySeconds: properties.get(PROPERTY.sessionExpiry) ?? 0,
    receiveMaximum: properties.get(PROPERTY.receiveMaximum) ?? DEFAULT_RECEIVE_MAXIMUM,
    maximumPacketSize: properties.get(PROPERTY.maximumPacketSize) ?? Number.POSITIVE_INFINITY,
    wantsReasons: properties.get(PROPERTY.requestProblemInformation) !== 0,
    will,
  };
}

function readWill(reader: PacketReader, qos: number, isRetained: boolean): Will {
  const properties = readProperties(reader, 'will');
  const topic = reader.topicName();
  const payload = reader.binary();
  return { topic, payload, qos, isRetained, delaySeconds: properties.get(PROPERTY.willDelay) ?? 0 };
}

/**
 * The CONNECT of MQTT 3.1.1 that Aedes gets instead. A password without a user name, which only MQTT 5 allows, is left out: it
 * admits nobody.
 *
 * @param isClean whether Aedes is to forget the session at the end of the connection
 */
export function connect311(
  { user, password, keepAlive }: Connect5,
  clientId: string,
  isClean: boolean,
  will: Will | undefined,
): Buffer {
  const hasPassword = user !== undefined && password !== undefined;
  const flags =
    (isClean ? FLAG.clean : 0) |
    (will ? FLAG.will | (will.qos << 3) | (will.isRetained ? FLAG.willRetain : 0) : 0) |
    (user === undefined ? 0 : FLAG.user) |
    (hasPassword ? FLAG.password : 0);
  return packetOf(
    CONNECT_BYTE,
    MQTT_3_1_1,
    Buffer.from([flags]),
    twoBytes(keepAlive),
    textOf(clientId),
    ...(will ? [textOf(will.topic), twoBytes(will.payload.length), will.payload] : []),
    ...(user === undefined ? [] : [textOf(user)]),
    ...(hasPassword ? [twoBytes(password.length), password] : []),
  );
}
