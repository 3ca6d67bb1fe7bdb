import { bodyOf, PacketReader, ProtocolViolation } from './packet-reader.ts';

/** The first byte of CONNECT. */
export const CONNECT_BYTE = 0x10;

/** Bits of CONNECT’s flags [MQTT-3.1.2]. */
export const FLAG = {
  reserved: 0x01,
  clean: 0x02,
  will: 0x04,
  willQos: 0x18,
  willRetain: 0x20,
  password: 0x40,
  user: 0x80,
} as const;

/** The protocol levels of MQTT 3.1.1 and 3.1, by protocol name. MQTT 5 is read elsewhere. */
const LEVELS: Readonly<Record<string, 3 | 4>> = { MQTT: 4, MQIsdp: 3 };

/** Why a client with another protocol level is refused. */
export const UNKNOWN_LEVEL = 'only MQTT 5, 3.1.1 and 3.1 are offered';

/** CONNACK’s return code for an unacceptable protocol level. */
export const UNACCEPTABLE_LEVEL = 1;

export interface Will {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly isRetained: boolean;
  /** How long in seconds the will waits after the end of the connection; 0 before MQTT 5. */
  readonly delaySeconds: number;
}

/** What CONNECT says in any version. */
export interface Connect {
  readonly level: 3 | 4 | 5;
  /** Empty if the client has none. */
  readonly clientId: string;
  readonly user: string | undefined;
  readonly password: Buffer | undefined;
  /** In seconds; 0 if the connection may be silent for as long as it likes. */
  readonly keepAlive: number;
  /** True if an older session is not continued. */
  readonly isFresh: boolean;
  /** True if, moreover, nothing is kept of the session once the connection has ended. */
  readonly isClean: boolean;
  readonly will: Will | undefined;
}

/** A protocol level that is not offered; it is answered with CONNACK 1 before the connection is closed [MQTT-3.1.2-2]. */
export class UnknownLevel extends ProtocolViolation {
  constructor() {
    super(UNKNOWN_LEVEL);
  }
}

/** CONNACK before MQTT 5. @param returnCode 0 if the client is let in [MQTT-3.2.2.3] */
export function connack311(isSessionPresent: boolean, returnCode: number): Buffer {
  return Buffer.from([0x20, 2, isSessionPresent ? 1 : 0, returnCode]);
}

/**
 * Reads a whole CONNECT packet of MQTT 3.1 or 3.1.1, and checks everything that the specification says about its form.
 *
 * @param start where the packet begins in `bytes`
 * @param end where the next packet begins
 * @throws ProtocolViolation that says what is wrong
 */
export function readConnect311(bytes: Buffer, start: number, end: number): Connect {
  if (bytes[start] !== CONNECT_BYTE) throw new ProtocolViolation('CONNECT must not have flags');
  const reader = new PacketReader(bytes, bodyOf(bytes, start), end);
  const protocol = reader.text();
  const level = LEVELS[protocol];
  if (level === undefined) throw new ProtocolViolation('the protocol name must be MQTT');
  if (reader.byte() !== level) throw new UnknownLevel();
  const flags = reader.byte();
  checkWillFlags(flags);
  if ((flags & (FLAG.user | FLAG.password)) === FLAG.password)
    throw new ProtocolViolation('a password needs a user name');
  const keepAlive = reader.number();
  const clientId = reader.text();
  const will =
    flags & FLAG.will
      ? { topic: reader.topicName(), payload: reader.binary(), ...willFlags(flags), delaySeconds: 0 }
      : undefined;
  const user = flags & FLAG.user ? reader.text() : undefined;
  const password = flags & FLAG.password ? reader.binary() : undefined;
  reader.finish();
  const isClean = (flags & FLAG.clean) !== 0;
  return { level, clientId, user, password, keepAlive, isFresh: isClean, isClean, will };
}

/** @throws ProtocolViolation if CONNECT’s flags contradict each other */
export function checkWillFlags(flags: number): void {
  if (flags & FLAG.reserved) throw new ProtocolViolation('the reserved flag of CONNECT must be 0');
  const hasWill = (flags & FLAG.will) !== 0;
  if (!hasWill && flags & (FLAG.willQos | FLAG.willRetain)) throw new ProtocolViolation('there is no will');
  if ((flags & FLAG.willQos) === FLAG.willQos) throw new ProtocolViolation('there is no QoS 3');
}

/** What CONNECT’s flags say about the will. */
export function willFlags(flags: number): Pick<Will, 'qos' | 'isRetained'> {
  return { qos: (flags & FLAG.willQos) >> 3, isRetained: (flags & FLAG.willRetain) !== 0 };
}
