import { StoreError } from '../error.ts';

/**
 * The outcome of an lmdb write. @throws StoreError when its commit failed.
 *
 * lmdb then rejects a second promise beside the write's own, with the cause; nobody else listens to it, and unheard it
 * would end the process.
 */
export async function written<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    const { commitError } = error as { commitError?: Promise<never> };
    if (!commitError) throw error;
    const cause: Error = await commitError.catch((reason) => reason);
    throw new StoreError(cause.message, { cause });
  }
}

/** True for rejections of promises that lmdb itself made and nobody was given. */
export function isCommitFailure(error: unknown): boolean {
  return error instanceof Error && 'commitError' in error;
}
