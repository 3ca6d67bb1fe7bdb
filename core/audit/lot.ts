import { createHash } from 'node:crypto';

/** Keys in the order of the SHA-256 of `<seed> <key>`: whoever knows the seed can draw again, nobody can choose. */
export function drawLot(seed: string, keys: readonly string[]): string[] {
  const hash = (key: string) => createHash('sha256').update(`${seed} ${key}`).digest('hex');
  return keys.toSorted((a, b) => (hash(a) < hash(b) ? -1 : 1));
}
