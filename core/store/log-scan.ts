import { compareOffsets, type Offset, START } from './offset.ts';
import type { LoggedEntry, Store } from './store.ts';

/** The number of entries read at a time while scanning. It is small, so that other work soon gets to run between reads. */
const SCAN_ENTRIES = 16;

/**
 * Yields a partition’s log entries, oldest first.
 *
 * @param after the offset after which to begin; by default, the beginning of the log
 * @param end the offset of the last entry; by default, the last one that had been counted when the scan began
 * @param untilMs no further entries are read after this instant of `performance.now()`; the caller must check how far it got
 */
export async function* scanLog(
  store: Pick<Store, 'log' | 'counts'>,
  partition: number,
  after: Offset = START,
  end?: Offset,
  untilMs = Number.POSITIVE_INFINITY,
): AsyncGenerator<LoggedEntry> {
  const last = end ?? (await store.counts.position(partition)).offset;
  let cursor = after;
  while (compareOffsets(cursor, last) < 0 && performance.now() <= untilMs) {
    const read = await store.log.read(new Map([[partition, cursor]]), { limit: SCAN_ENTRIES, waitMs: 0 });
    const entries = read.get(partition);
    if (!entries) return;
    for (const logged of entries) {
      if (compareOffsets(logged.offset, last) > 0) return;
      yield logged;
      cursor = logged.offset;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
