/** A write that the store could not do: disk full, server away. Expected, and to be survived. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}
