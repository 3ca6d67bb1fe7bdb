/** How many packets of a voter a ballot remembers. A device that has more votes under way should number them (`n`). */
export const MAX_PACKETS = 16;

/** A packet is its packet id times this, plus a hash. */
const HASHES = 2 ** 32;

/** A packet as it is logged: its MQTT packet id (up to 16 bits) and a hash of its content (32 bits), as one safe integer. */
export function packetOf(id: number, hash: number): number {
  return id * HASHES + (hash >>> 0);
}

/** The two parts of a packet. */
export function partsOf(packet: number): { id: number; hash: number } {
  return { id: idOf(packet), hash: packet % HASHES };
}

/** Its packet id. */
export function idOf(packet: number): number {
  return Math.floor(packet / HASHES);
}
