import { type Offset, START } from '../core/store/offset.ts';
import type { LoggedEntry, Store } from '../core/store/store.ts';

/** Entries read at a time while scanning; between reads, others get their turn. */
const SCAN_ENTRIES = 16;

/** A partition's log from its beginning up to where it was counted when the scan began. */
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
