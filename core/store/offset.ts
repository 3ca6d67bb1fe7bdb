/**
 * The position of an entry in a partition’s log, in the form of a Redis stream id: `<major>-<minor>`, two decimal numbers.
 * Later entries have higher offsets. An offset is also a cursor: "everything up to here has been read".
 */
export type Offset = string;

/** The cursor before the first entry. */
export const START: Offset = '0-0';

/** Negative if `a` comes before `b`, positive if it comes after `b`, 0 if they are equal. */
export function compareOffsets(a: Offset, b: Offset): number {
  if (a === b) return 0;
  const [aMajor = 0, aMinor = 0] = a.split('-').map(Number);
  const [bMajor = 0, bMinor = 0] = b.split('-').map(Number);
  return aMajor - bMajor || aMinor - bMinor;
}
