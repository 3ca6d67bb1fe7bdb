import type { Reason } from '../../../core/voting/rules/rejection.ts';
import type { PUBACK, PUBCOMP, PUBREC } from './frame.ts';

/** Why a packet was refused: the reason for which a vote was rejected, or that devices may not use its topic. */
export type Refused = Reason | 'topic';

/** The packet that acknowledges a PUBLISH or a PUBREL. */
export type AcknowledgementType = typeof PUBACK | typeof PUBREC | typeof PUBCOMP;

/** The maximum length of an acknowledgement in bytes. */
export const ACKNOWLEDGEMENT_BYTES = 4;

/** Writes the acknowledgement of packet `id` in MQTT 3.1.1, which cannot say why a vote was rejected. Returns where it ends. */
export function writeAcknowledgement(to: Buffer, at: number, type: AcknowledgementType, id: number): number {
  to[at] = type << 4;
  to[at + 1] = 2;
  to[at + 2] = id >> 8;
  to[at + 3] = id & 0xff;
  return at + 4;
}
