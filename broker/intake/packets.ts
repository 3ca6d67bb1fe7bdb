import { packetOf } from '../../core/voting/count/packet.ts';
import type { Publish } from '../connection/wire/publish.ts';

/** A device may repeat packets only among the first ones of a connection; this many, without those at QoS 0. */
export const MAX_REPEATED = 32;

/** The packet as it is logged, to recognise it if it is sent again; undefined at QoS 0, where nothing is. */
export function loggedPacket({ qos, id, topic, payload }: Publish): number | undefined {
  return qos === 0 ? undefined : packetOf(id, contentHash(topic, payload));
}

/** The 32-bit FNV-1a hash of topic and payload. */
function contentHash(topic: string, payload: Buffer): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < topic.length; i++) hash = Math.imul(hash ^ topic.charCodeAt(i), 0x01000193);
  // A topic contains no zero, so this separates the two.
  hash = Math.imul(hash, 0x01000193);
  for (let i = 0; i < payload.length; i++) hash = Math.imul(hash ^ (payload[i] as number), 0x01000193);
  return hash;
}
