/**
 * The position of an entry in a partition’s log, in the form of a Redis stream id: `<major>-<minor>`, two decimal numbers.
 * Later entries have higher offsets. An offset is also a cursor: "everything up to here has been read".
 */
export type Offset = string;

/** The cursor before the first entry. */
export const START: Offset = '0-0';

/**
 * What versions that store ballots one by one find as the offset of a partition, once ballots are stored in pages. It is no
 * offset, so they cannot read on from it, and never count without the ballots. It also comes neither before nor after any other
 * for them, so they do not take the partition for one that has lost entries.
 */
export const SEALED: Offset = 'in-pages';

/** Negative if `a` comes before `b`, positive if it comes after `b`, 0 if they are equal. */
export function compareOffsets(a: Offset, b: Offset): number {
  if (a === b) return 0;
  const [aMajor = 0, aMinor = 0] = a.split('-').map(Number);
  const [bMajor = 0, bMinor = 0] = b.split('-').map(Number);
  return aMajor - bMajor || aMinor - bMinor;
}
