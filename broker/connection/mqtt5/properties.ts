import { type PacketReader, ProtocolViolation } from '../wire/packet-reader.ts';
import { CODE, Mqtt5Error } from './codes.ts';

/** The identifiers of properties [MQTT5 2.2.2.2]. */
export const PROPERTY = {
  payloadFormat: 0x01,
  messageExpiry: 0x02,
  contentType: 0x03,
  responseTopic: 0x08,
  correlationData: 0x09,
  subscriptionId: 0x0b,
  sessionExpiry: 0x11,
  assignedClientId: 0x12,
  serverKeepAlive: 0x13,
  authenticationMethod: 0x15,
  authenticationData: 0x16,
  requestProblemInformation: 0x17,
  willDelay: 0x18,
  requestResponseInformation: 0x19,
  reasonString: 0x1f,
  receiveMaximum: 0x21,
  topicAliasMaximum: 0x22,
  topicAlias: 0x23,
  userProperty: 0x26,
  maximumPacketSize: 0x27,
  wildcardsAvailable: 0x28,
  subscriptionIdsAvailable: 0x29,
  sharedSubscriptionsAvailable: 0x2a,
} as const;

/** How the value of a property is written. A `flag` is a byte that is 0 or 1. */
type Format = 'flag' | 'two bytes' | 'four bytes' | 'variable' | 'text' | 'topic' | 'binary' | 'pair';

/** The formats of the properties that a client may send. */
const FORMATS: Readonly<Record<number, Format>> = {
  [PROPERTY.payloadFormat]: 'flag',
  [PROPERTY.messageExpiry]: 'four bytes',
  [PROPERTY.contentType]: 'text',
  [PROPERTY.responseTopic]: 'topic',
  [PROPERTY.correlationData]: 'binary',
  [PROPERTY.subscriptionId]: 'variable',
  [PROPERTY.sessionExpiry]: 'four bytes',
  [PROPERTY.authenticationMethod]: 'text',
  [PROPERTY.authenticationData]: 'binary',
  [PROPERTY.requestProblemInformation]: 'flag',
  [PROPERTY.willDelay]: 'four bytes',
  [PROPERTY.requestResponseInformation]: 'flag',
  [PROPERTY.reasonString]: 'text',
  [PROPERTY.receiveMaximum]: 'two bytes',
  [PROPERTY.topicAliasMaximum]: 'two bytes',
  [PROPERTY.topicAlias]: 'two bytes',
  [PROPERTY.userProperty]: 'pair',
  [PROPERTY.maximumPacketSize]: 'four bytes',
};

/** Properties that must not be 0. */
const NEVER_ZERO: ReadonlySet<number> = new Set([
  PROPERTY.receiveMaximum,
  PROPERTY.maximumPacketSize,
  PROPERTY.subscriptionId,
]);

const { userProperty } = PROPERTY;
/** The properties of each place [MQTT5 table 2-4]. */
export const ALLOWED = {
  CONNECT: new Set<number>([
    PROPERTY.sessionExpiry,
    PROPERTY.receiveMaximum,
    PROPERTY.maximumPacketSize,
    PROPERTY.topicAliasMaximum,
    PROPERTY.requestResponseInformation,
    PROPERTY.requestProblemInformation,
    PROPERTY.authenticationMethod,
    PROPERTY.authenticationData,
    userProperty,
  ]),
  will: new Set<number>([
    PROPERTY.willDelay,
    PROPERTY.payloadFormat,
    PROPERTY.messageExpiry,
    PROPERTY.contentType,
    PROPERTY.responseTopic,
    PROPERTY.correlationData,
    userProperty,
  ]),
  PUBLISH: new Set<number>([
    PROPERTY.payloadFormat,
    PROPERTY.messageExpiry,
    PROPERTY.topicAlias,
    PROPERTY.responseTopic,
    PROPERTY.correlationData,
    PROPERTY.contentType,
    userProperty,
  ]),
  acknowledgement: new Set<number>([PROPERTY.reasonString, userProperty]),
  SUBSCRIBE: new Set<number>([PROPERTY.subscriptionId, userProperty]),
  UNSUBSCRIBE: new Set<number>([userProperty]),
  DISCONNECT: new Set<number>([PROPERTY.sessionExpiry, PROPERTY.reasonString, userProperty]),
  AUTH: new Set<number>([
    PROPERTY.authenticationMethod,
    PROPERTY.authenticationData,
    PROPERTY.reasonString,
    userProperty,
  ]),
} as const;

/** The numbers among a packet’s properties, and for other properties that they are there (as 0), by identifier. */
export type Properties = ReadonlyMap<number, number>;

const NONE: Properties = new Map();

/**
 * Reads and checks the properties of a packet, with their length. Texts and binary data are checked and dropped.
 *
 * @throws ProtocolViolation if the packet is malformed; Mqtt5Error if a property or its value is not allowed there
 */
export function readProperties(reader: PacketReader, place: keyof typeof ALLOWED): Properties {
  const length = reader.variable();
  if (length === 0) return NONE;
  const end = reader.position + length;
  const found = new Map<number, number>();
  while (reader.position < end) {
    const id = reader.variable();
    const format = FORMATS[id];
    if (format === undefined || !ALLOWED[place].has(id)) {
      // PUBLISH may have a subscription identifier, but not from a client [MQTT5-3.3.4-6].
      const isOfServers = id === PROPERTY.subscriptionId && place === 'PUBLISH';
      throw new Mqtt5Error(isOfServers ? CODE.protocol : CODE.malformed, `property ${id} is not allowed in ${place}`);
    }
    if (found.has(id) && id !== userProperty) throw new Mqtt5Error(CODE.protocol, `property ${id} is there twice`);
    const value = readValue(reader, format);
    if (value === 0 && NEVER_ZERO.has(id)) throw new Mqtt5Error(CODE.protocol, `property ${id} must not be 0`);
    if (format === 'flag' && value > 1) throw new Mqtt5Error(CODE.protocol, `property ${id} must be 0 or 1`);
    found.set(id, value);
  }
  if (reader.position !== end) throw new ProtocolViolation('a property is longer than all properties');
  return found;
}

function readValue(reader: PacketReader, format: Format): number {
  switch (format) {
    case 'flag':
      return reader.byte();
    case 'two bytes':
      return reader.number();
    case 'four bytes':
      return reader.number() * 0x10000 + reader.number();
    case 'variable':
      return reader.variable();
    case 'text':
      reader.skipText();
      return 0;
    case 'topic':
      reader.topicName();
      return 0;
    case 'binary':
      reader.skip(reader.number());
      return 0;
    case 'pair':
      reader.skipText();
      reader.skipText();
      return 0;
  }
}
