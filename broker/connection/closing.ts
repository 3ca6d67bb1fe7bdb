/**
 * How many connections are closed in one turn of the event loop, in about a millisecond. Thousands may end at once, when a network
 * or a proxy fails, or clients take too long, and meanwhile the votes of all others have to be acknowledged and the lease renewed.
 */
export const CLOSED_PER_TURN = 20;

/** A connection that the other side has ended. */
interface Closing {
  close(): void;
}

const waiting = new Set<Closing>();
let isDue = false;

/** Calls `close` in a later turn of the event loop. Connections close in the order in which they ended. */
export function closeSoon(connection: Closing): void {
  waiting.add(connection);
  if (!isDue) setImmediate(closeSome);
  isDue = true;
}

function closeSome(): void {
  let left = CLOSED_PER_TURN;
  try {
    for (const connection of waiting) {
      if (left-- === 0) break;
      waiting.delete(connection);
      connection.close();
    }
  } finally {
    isDue = waiting.size > 0;
    if (isDue) setImmediate(closeSome);
  }
}
