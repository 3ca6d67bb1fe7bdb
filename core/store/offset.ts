/**
 * The place of an entry in a partition's log: `<major>-<minor>`, both decimal, rising along the log
 * (the form of a Redis stream id). An offset is also a cursor: "everything up to here was read".
 */
export type Offset = string;

/** The cursor before the first entry. */
export const START: Offset = '0-0';

/** Below zero when `a` comes before `b`, above when after, 0 when they are the same place. */
export function compareOffsets(a: Offset, b: Offset): number {
  if (a === b) return 0;
  const [aMajor = 0, aMinor = 0] = a.split('-').map(Number);
  const [bMajor = 0, bMinor = 0] = b.split('-').map(Number);
  return aMajor - bMajor || aMinor - bMinor;
}
