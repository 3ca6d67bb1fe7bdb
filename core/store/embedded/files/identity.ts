import type { Stats } from 'node:fs';

/** True if both describe one file, however it was reached: the same inode of the same device. */
export function isSameFile(a: Pick<Stats, 'dev' | 'ino'>, b: Pick<Stats, 'dev' | 'ino'>): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}
