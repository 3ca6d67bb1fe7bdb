/** A store operation failed for an expected reason, for example because the disk is full or the server cannot be reached. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}

/**
 * The store can be reached but keeps nothing more, for example because its disk is full. Trying again shortly does not help. The
 * message says what does, and can be shown to operators.
 */
export class StoreRefusal extends StoreError {}

/** The store cannot be reached, or is not ready yet. It may be soon, without anybody changing a setting. */
export class StoreAway extends StoreError {}

/** Stored data is gone. The message says what, and what an operator can do. */
export class StoreGone extends StoreRefusal {}

/**
 * True if an unhandled rejection is only a failed store operation: a `StoreError`, or the rejection of an additional promise
 * that lmdb creates for a write and does not return.
 */
export function isWriteFailure(error: unknown): boolean {
  return error instanceof StoreError || (error instanceof Error && 'commitError' in error);
}
