import { CONNECT_BYTE, checkWillFlags, FLAG, type Will, willFlags } from '../wire/connect.ts';
import { bodyOf, PacketReader, ProtocolViolation } from '../wire/packet-reader.ts';
import { CODE, Mqtt5Error } from './codes.ts';
import { PROPERTY, readProperties } from './properties.ts';
import { packetOf, textOf, twoBytes } from './writing.ts';

/** Protocol name and level of MQTT 5, as they are at the beginning of CONNECT. */
const MQTT_5 = Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 5]);
const MQTT_3_1_1 = Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4]);

/** What a client that does not say so can take [MQTT5 3.1.2.11]. */
const DEFAULT_RECEIVE_MAXIMUM = 65_535;

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
  checkWillFlags(flags);
  const keepAlive = reader.number();
  const properties = readProperties(reader, 'CONNECT');
  const clientId = reader.text();
  const will = flags & FLAG.will ? readWill(reader, flags) : undefined;
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

function readWill(reader: PacketReader, flags: number): Will {
  const properties = readProperties(reader, 'will');
  const topic = reader.topicName();
  const payload = reader.binary();
  return { topic, payload, ...willFlags(flags), delaySeconds: properties.get(PROPERTY.willDelay) ?? 0 };
}

/**
 * The CONNECT of MQTT 3.1.1 with which a client that has been admitted is introduced to Aedes. Its keep alive and its will are
 * dealt with before Aedes.
 *
 * @param isClean whether Aedes is to forget the session at the end of the connection
 */
export function connectForAedes(clientId: string, isClean: boolean): Buffer {
  return packetOf(CONNECT_BYTE, MQTT_3_1_1, Buffer.from([isClean ? FLAG.clean : 0]), twoBytes(0), textOf(clientId));
}
