/** A device may repeat packets only among the first ones of a connection; this many, without those at QoS 0. */
export const MAX_REPEATED = 32;

const PRIME = 0x01000193;

/** The part of `contentHash` that depends on the topic. */
export function topicHash(topic: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < topic.length; i++) hash = Math.imul(hash ^ topic.charCodeAt(i), PRIME);
  // A topic contains no zero, so this separates the two.
  return Math.imul(hash, PRIME);
}

/** The 32-bit FNV-1a hash of topic and payload, to recognise a packet that is sent again. */
export function contentHash(ofTopic: number, payload: Buffer): number {
  let hash = ofTopic;
  for (let i = 0; i < payload.length; i++) hash = Math.imul(hash ^ (payload[i] as number), PRIME);
  return hash >>> 0;
}
