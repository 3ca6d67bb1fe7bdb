/** Upper bound on partitions of one deployment; each is a log, a lease and a slice of every tally. */
export const MAX_PARTITIONS = 1024;

/**
 * The partition that holds everything about a device: FNV-1a (32 bit) of its id, modulo the number of partitions.
 * One device, one partition: that is what keeps a device's votes in order.
 */
export function partitionOf(device: string, partitions: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < device.length; i++) {
    hash ^= device.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) % partitions;
}
