import type { Departure } from '../reasons.ts';
import type { Refused } from '../wire/acknowledgement.ts';
import { ProtocolViolation } from '../wire/packet-reader.ts';

/** The reason codes of MQTT 5 that are used here [MQTT5 2.4]. */
export const CODE = {
  success: 0x00,
  noSubscription: 0x11,
  unspecified: 0x80,
  malformed: 0x81,
  protocol: 0x82,
  specific: 0x83,
  unsupportedVersion: 0x84,
  badClientId: 0x85,
  badCredentials: 0x86,
  notAuthorized: 0x87,
  unavailable: 0x88,
  busy: 0x89,
  shuttingDown: 0x8b,
  badAuthentication: 0x8c,
  keepAlive: 0x8d,
  takenOver: 0x8e,
  badTopic: 0x90,
  unknownPacketId: 0x92,
  receiveMaximum: 0x93,
  badAlias: 0x94,
  tooLarge: 0x95,
  quota: 0x97,
  administrative: 0x98,
  badPayload: 0x99,
  noSharedSubscriptions: 0x9e,
  connectionRate: 0x9f,
  noSubscriptionIds: 0xa1,
  noWildcards: 0xa2,
} as const;

/** The reason codes for CONNACK’s return codes of MQTT 3.1.1, by return code [MQTT-3.2.2.3]. */
const CONNACK_CODES: readonly number[] = [
  CODE.success,
  CODE.unsupportedVersion,
  CODE.badClientId,
  CODE.unavailable,
  CODE.badCredentials,
  CODE.notAuthorized,
];

/** The reason code of the PUBACK or PUBREC for a packet that was refused. */
const REJECTION_CODES: Readonly<Record<Refused, number>> = {
  topic: CODE.notAuthorized,
  'unknown-poll': CODE.badTopic,
  'no-open-poll': CODE.specific,
  'not-open': CODE.specific,
  closed: CODE.specific,
  retained: CODE.specific,
  'not-eligible': CODE.notAuthorized,
  'unknown-mandate': CODE.notAuthorized,
  // The next three are decided by counting, after the acknowledgement.
  'already-voted': CODE.specific,
  'nothing-to-withdraw': CODE.specific,
  'too-many-votes': CODE.quota,
  'too-fast': CODE.quota,
  empty: CODE.badPayload,
  'too-large': CODE.badPayload,
  'malformed-text': CODE.badPayload,
  'malformed-json': CODE.badPayload,
  'malformed-cbor': CODE.badPayload,
  'bad-choice': CODE.badPayload,
  'bad-sequence': CODE.badPayload,
  'bad-time': CODE.badPayload,
  'unknown-option': CODE.badPayload,
  'duplicate-option': CODE.badPayload,
  'equal-ranks': CODE.badPayload,
  'too-few-options': CODE.badPayload,
  'too-many-options': CODE.badPayload,
  'not-a-number': CODE.badPayload,
  'too-many-digits': CODE.badPayload,
  'out-of-range': CODE.badPayload,
  'over-budget': CODE.badPayload,
  'under-budget': CODE.badPayload,
  'too-long': CODE.badPayload,
  stopped: CODE.badPayload,
};

/** The reason code of the DISCONNECT with which the broker ends a connection; undefined if the device or the network ended it. */
const DEPARTURE_CODES: Readonly<Record<Departure, number | undefined>> = {
  goodbye: undefined,
  lost: undefined,
  keepalive: CODE.keepAlive,
  takeover: CODE.takenOver,
  removed: CODE.administrative,
  certificate: CODE.notAuthorized,
  topic: CODE.notAuthorized,
  packet: CODE.malformed,
  stalled: CODE.quota,
  store: CODE.busy,
  stopping: CODE.shuttingDown,
};

/** A packet of MQTT 5 that a client may not send. The connection ends with the reason code. */
export class Mqtt5Error extends ProtocolViolation {
  readonly code: number;

  constructor(code: number, why: string) {
    super(why);
    this.code = code;
  }
}

/** The reason code for an error that was thrown while a packet was read: whatever it is, the packet was wrong. */
export function codeOfError(error: unknown): number {
  return error instanceof Mqtt5Error ? error.code : CODE.malformed;
}

/** @param returnCode of a CONNACK of MQTT 3.1.1 */
export function codeOfRefusal(returnCode: number): number {
  return CONNACK_CODES[returnCode] ?? CODE.unspecified;
}

export function codeOfRejection(reason: Refused): number {
  return REJECTION_CODES[reason];
}

export function codeOfDeparture(departure: Departure): number | undefined {
  return DEPARTURE_CODES[departure];
}
