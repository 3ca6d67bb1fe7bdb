import { CONNECT, frameLength, packetType } from '../wire/frame.ts';
import type { GateLimits } from '../wire/limits.ts';
import { CODE } from './codes.ts';
import { isConnect5 } from './connect.ts';

/** Why a packet is refused by its first bytes. */
interface Refused {
  readonly why: string;
  readonly code: number;
  /** Whether it is a CONNECT of MQTT 5, which is answered. */
  readonly isConnect?: boolean;
}

/** The length in bytes of the packet at `at`; 0 if not known yet. @param isStranger whether CONNECT is still to come */
export function lengthOf(bytes: Buffer, at: number, isStranger: boolean, limits: GateLimits): number | Refused {
  if ((packetType(bytes[at] as number) === CONNECT) !== isStranger) {
    return { why: 'CONNECT must come first, and only once', code: CODE.protocol };
  }
  const length = frameLength(bytes, at);
  const limit = isStranger ? limits.connectBytes : limits.packetBytes;
  if (length < 0) return { why: 'malformed remaining length', code: CODE.malformed };
  if (length <= limit) return length;
  const why = `a packet of ${length} bytes exceeds the limit of ${limit}`;
  return { why, code: CODE.tooLarge, isConnect: isConnect5(bytes, at) };
}
