/**
 * The 32-bit MurmurHash3 of bytes from `start` on (Austin Appleby, public domain). Each step is reversible, so a change within
 * four bytes at a multiple of four is always noticed, and any other one but for a chance of 1 in 2^32. Node.js has CRC-32 only
 * since 20.15.
 */
export function checksum(bytes: Uint8Array, start: number): number {
  const end = bytes.length;
  const whole = start + ((end - start) & ~3);
  let hash = 0;
  let i = start;
  for (; i < whole; i += 4) {
    hash ^= mixed(
      (bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24),
    );
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let shift = 0; i < end; i++, shift += 8) tail |= (bytes[i] as number) << shift;
  hash ^= mixed(tail) ^ (end - start);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mixed(word: number): number {
  const product = Math.imul(word, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}
