import { createHash } from 'node:crypto';

/** The keys sorted by the SHA-256 of `<seed> <key>`, so that anyone who knows the seed can repeat the draw. */
export function drawLot(seed: string, keys: readonly string[]): string[] {
  const hash = (key: string) => createHash('sha256').update(`${seed} ${key}`).digest('hex');
  return keys.toSorted((a, b) => (hash(a) < hash(b) ? -1 : 1));
}
