import type { Bell } from '../../waiting/bell.ts';
import type { ReadOptions } from '../store.ts';

/** What is stored as an entry of a log: in the field `e` as JSON, or behind it in `b` as bytes; see append.lua. */
export function storedIn([, text, , bytes]: readonly Buffer[]): Buffer {
  return bytes ?? text ?? Buffer.alloc(0);
}

/**
 * Calls `read`. If it finds nothing, waits for the bell and calls `read` again, until something arrives or the wait is over.
 */
export async function readOrWait<T extends readonly unknown[]>(
  bell: Bell,
  { waitMs, signal }: ReadOptions,
  read: () => Promise<T>,
): Promise<T> {
  const endMs = performance.now() + waitMs;
  for (;;) {
    // Listen before reading, so that nothing that arrives in between is missed.
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
