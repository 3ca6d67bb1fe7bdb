/** Upper bound on partitions of one deployment; each is a log, a lease and a slice of every tally. */
export const MAX_PARTITIONS = 1024;

/**
 * The partition that holds everything about a device: FNV-1a (32 bit) of its id, modulo the number of partitions.
 * One device, one partition: that is what keeps a device's votes in order.
 */
export function partitionOf(device: string, partitions: number): number {
  return hashOf(device) % partitions;
}

/**
 * Which of `buckets` parts of a partition holds a device: by other bits of the hash than the partition's, or all devices
 * of a partition would share a few buckets.
 */
export function bucketOf(device: string, buckets: number): number {
  return (hashOf(device) >>> 12) % buckets;
}

/** FNV-1a, 32 bit. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}
