/** A seeded random number generator (mulberry32): the same seed gives the same rehearsal. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export type Random = () => number;

/** A whole number from 0 to `most`. */
export const upTo = (most: number, random: Random): number => Math.floor(random() * (most + 1));
