import { StoreError } from '../error.ts';

/**
 * The outcome of an lmdb write. @throws StoreError if its commit failed
 *
 * If the commit fails, lmdb also rejects a second promise, `commitError`, with the cause. Nothing else handles that promise,
 * and an unhandled rejection would end the process.
 */
export async function awaitWrite<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    const { commitError } = error as { commitError?: Promise<never> };
    if (!commitError) throw error;
    const cause: Error = await commitError.catch((reason) => reason);
    throw new StoreError(cause.message, { cause });
  }
}
