/** A store operation failed for an expected reason, for example because the disk is full or the server cannot be reached. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}

/**
 * The store can be reached but keeps nothing more, for example because its disk is full. Trying again shortly does not help. The
 * message says what does, and can be shown to operators.
 */
export class StoreRefusal extends StoreError {}

/**
 * True if an unhandled rejection is only a failed store operation: a `StoreError`, or the rejection of an additional promise
 * that lmdb creates for a write and does not return.
 */
export function isWriteFailure(error: unknown): boolean {
  return error instanceof StoreError || (error instanceof Error && 'commitError' in error);
}
