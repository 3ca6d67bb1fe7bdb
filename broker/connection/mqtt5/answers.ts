import { CONNACK, DISCONNECT } from '../wire/frame.ts';
import { CODE } from './codes.ts';
import { PROPERTY } from './properties.ts';
import {
  byteProperty,
  fourByteProperty,
  packetOf,
  propertiesOf,
  reasonProperty,
  textProperty,
  twoByteProperty,
  twoBytes,
} from './writing.ts';

/** What the broker offers. */
export interface Offer {
  /** How many PUBLISH packets with QoS 1 and 2 a client may have under way. */
  readonly receiveMaximum: number;
  /** Size in bytes of the largest packet that a client may send. */
  readonly packetBytes: number;
  /** How many topic aliases a client may use. */
  readonly topicAliases: number;
}

/** What a CONNACK says to one client, besides the offer. */
export interface Granted {
  readonly isSessionPresent: boolean;
  /** Set if the session is kept for a shorter time than the client asked for. */
  readonly sessionExpirySeconds: number | undefined;
  /** Set if the client left its id to the broker. */
  readonly assignedClientId: string | undefined;
  /** Set if the client must use this keep alive, in seconds, instead of its own. */
  readonly serverKeepAlive?: number | undefined;
}

/** CONNACK for a client that is let in. Without an offer, it is as short as possible, for a client that takes no longer one. */
export function connack(offer: Offer | undefined, granted: Granted): Buffer {
  const { isSessionPresent, sessionExpirySeconds, assignedClientId, serverKeepAlive } = granted;
  const properties = propertiesOf(
    ...(sessionExpirySeconds === undefined ? [] : [fourByteProperty(PROPERTY.sessionExpiry, sessionExpirySeconds)]),
    ...(assignedClientId === undefined ? [] : [textProperty(PROPERTY.assignedClientId, assignedClientId)]),
    ...(serverKeepAlive === undefined ? [] : [twoByteProperty(PROPERTY.serverKeepAlive, serverKeepAlive)]),
    ...(offer ? offered(offer) : []),
  );
  return packetOf(CONNACK << 4, Buffer.from([isSessionPresent ? 1 : 0, CODE.success]), properties);
}

function offered({ receiveMaximum, packetBytes, topicAliases }: Offer): Buffer[] {
  return [
    twoByteProperty(PROPERTY.receiveMaximum, receiveMaximum),
    fourByteProperty(PROPERTY.maximumPacketSize, packetBytes),
    twoByteProperty(PROPERTY.topicAliasMaximum, topicAliases),
    byteProperty(PROPERTY.wildcardsAvailable, 0),
    byteProperty(PROPERTY.subscriptionIdsAvailable, 0),
    byteProperty(PROPERTY.sharedSubscriptionsAvailable, 0),
  ];
}

/** CONNACK for a client that is not let in. @param maximum size of the packet; the reason is left out if it does not fit */
export function refusal(code: number, why: string | undefined, maximum = Number.POSITIVE_INFINITY): Buffer {
  return fitting(maximum, why, (reason) => packetOf(CONNACK << 4, Buffer.from([0, code]), reasons(reason)));
}

/** DISCONNECT by the broker. @param maximum size of the packet; the reason is left out if it does not fit */
export function farewell(code: number, why: string | undefined, maximum: number): Buffer {
  return fitting(maximum, why, (reason) => packetOf(DISCONNECT << 4, Buffer.from([code]), reasons(reason)));
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP with a reason code. @param firstByte its type and flags */
export function acknowledgement(
  firstByte: number,
  packetId: number,
  code: number,
  why: string | undefined,
  maximum: number,
): Buffer {
  // Without reason code and properties, the packet means success [MQTT5 3.4.2.1].
  if (code === CODE.success) return packetOf(firstByte, twoBytes(packetId));
  return fitting(maximum, why, (reason) =>
    packetOf(firstByte, twoBytes(packetId), Buffer.from([code]), reasons(reason)),
  );
}

/** Properties with the reason. They are never left out: some clients read their length even if the packet ends before it. */
function reasons(why: string | undefined): Buffer {
  return propertiesOf(reasonProperty(why));
}

function fitting(maximum: number, why: string | undefined, make: (why: string | undefined) => Buffer): Buffer {
  const whole = make(why);
  return whole.length <= maximum ? whole : make(undefined);
}
