import type { Bell } from '../bell.ts';
import type { ReadOptions } from '../store.ts';

/** Reads; when there is nothing, waits for the bell and reads again, until there is something or the wait is over. */
export async function readOrWait<T extends readonly unknown[]>(
  bell: Bell,
  { waitMs, signal }: ReadOptions,
  read: () => Promise<T>,
): Promise<T> {
  const endMs = performance.now() + waitMs;
  for (;;) {
    // Listening begins before reading: what comes in between rings.
    const leftMs = endMs - performance.now();
    const { rung, cancel } = bell.listen(leftMs, signal);
    try {
      const found = await read();
      if (found.length > 0 || leftMs <= 0 || signal?.aborted) return found;
      await rung;
    } finally {
      cancel();
    }
  }
}
