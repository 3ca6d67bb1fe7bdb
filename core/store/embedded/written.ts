/**
 * The outcome of an lmdb write. When a commit fails, lmdb rejects a second promise beside the write's own, with the
 * cause; nobody else listens to it, and unheard it would end the process.
 */
export async function written<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    const { commitError } = error as { commitError?: Promise<never> };
    if (!commitError) throw error;
    throw await commitError.catch((cause) => cause);
  }
}
