import { type Offset, START } from './offset.ts';
import type { LoggedEntry, Store } from './store.ts';

/** The number of entries read at a time while scanning. It is small, so that other work soon gets to run between reads. */
const SCAN_ENTRIES = 16;

/** Yields a partition’s log entries, from the first to the last one that had been counted when the scan began. */
export async function* scanLog(store: Store, partition: number): AsyncGenerator<LoggedEntry> {
  const { offset: end } = await store.counts.position(partition);
  let cursor: Offset = START;
  while (cursor !== end) {
    const read = await store.log.read(new Map([[partition, cursor]]), { limit: SCAN_ENTRIES, waitMs: 0 });
    const entries = read.get(partition);
    if (!entries) return;
    for (const logged of entries) {
      yield logged;
      cursor = logged.offset;
      if (cursor === end) return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
