/** The maximum time in ms that a test waits for something that must happen. */
export const PATIENCE_MS = 30_000;

/** Calls `ask` until it resolves with a value. @throws Error naming `what` if that takes too long */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const endMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > endMs) throw new Error(`waited ${PATIENCE_MS} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}
