import type { Claim, LineHolder, Lines } from '../store.ts';

/** There is only one process, which knows all of its connections and appends all votes in the order in which they arrive. */
export class EmbeddedLines implements Lines {
  async claim(): Promise<Claim> {
    return { number: undefined, before: undefined };
  }

  async release(): Promise<void> {}

  async holders(ids: readonly string[]): Promise<(LineHolder | undefined)[]> {
    return ids.map(() => undefined);
  }

  async *all(): AsyncGenerator<readonly [id: string, holder: LineHolder]> {}

  async tell(): Promise<void> {}

  async listen(): Promise<() => void> {
    return () => {};
  }
}
