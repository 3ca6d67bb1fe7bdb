import { join } from 'node:path';
import { createLog } from '../../core/runtime/log.ts';
import { isThere } from '../../core/store/embedded/files/soundness.ts';
import { soundEntries } from '../../core/store/embedded/repair/readable.ts';
import { type StorePlace, seeEntries } from '../../core/store/redis/guard/accept.ts';
import { readEntry } from '../../core/voting/count/entries/codec.ts';
import type { FoundEntry } from '../../core/voting/count/entry.ts';

/** An entry of a vote log, and where it is. */
export interface SeenEntry {
  readonly partition: number;
  readonly offset: string;
  readonly bytes: number;
  readonly entry: FoundEntry;
}

/**
 * Shows the entries of the vote log in a data directory one by one.
 *
 * @param see returns false to stop
 * @throws Error if the directory has no vote log
 */
export function seeDirectory(directory: string, see: (entry: SeenEntry) => boolean): void {
  const path = join(directory, 'log.lmdb');
  if (!isThere(path)) throw new Error(`there is no vote log in ${directory}`);
  for (const { partition, sequence, bytes } of soundEntries(path)) {
    if (!see({ partition, offset: `${sequence}-0`, bytes: bytes.length, entry: readEntry(bytes) })) return;
  }
}

/** Shows the entries of the vote log in Redis one by one. @param see returns false to stop */
export function seeRedis(place: StorePlace, see: (entry: SeenEntry) => boolean): Promise<void> {
  return seeEntries(place, createLog('silent'), (partition, offset, stored) =>
    see({ partition, offset, bytes: stored.length, entry: readEntry(stored) }),
  );
}
