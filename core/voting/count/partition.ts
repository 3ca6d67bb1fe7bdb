/** The maximum number of partitions in a deployment. Each partition has a log, a lease and a slice of every tally. */
export const MAX_PARTITIONS = 1024;

/**
 * The partition of a device: the 32-bit FNV-1a hash of its id, modulo the number of partitions. A device always has the
 * same partition, which keeps its votes in order.
 */
export function partitionOf(device: string, partitions: number): number {
  return hashOf(device) % partitions;
}

/**
 * The bucket in which earlier versions kept the ballot of a device within its partition. It uses different bits of the hash from
 * `partitionOf`; otherwise all devices of a partition would fall into a few buckets.
 */
export function bucketOf(device: string, buckets: number): number {
  return (hashOf(device) >>> 12) % buckets;
}

/** The 32-bit FNV-1a hash of a device’s id. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}
