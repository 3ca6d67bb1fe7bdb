import type { Claim, Ended, LineHolder, LineNotice, Lines } from '../store.ts';

/** The connections of a single process. They are forgotten when it stops, because none of them survives it. */
export class EmbeddedLines implements Lines {
  private readonly nextConnection: () => Promise<number>;
  private readonly newest = new Map<string, LineHolder>();
  private readonly listeners = new Set<(notice: LineNotice) => void>();

  /** @param nextConnection returns a number higher than that of any earlier connection, also of earlier runs */
  constructor(nextConnection: () => Promise<number>) {
    this.nextConnection = nextConnection;
  }

  async claim(id: string, broker: string): Promise<Claim> {
    const number = await this.nextConnection();
    const before = this.newest.get(id);
    if (!before || before.number < number) this.newest.set(id, { number, broker });
    await this.tell({ is: 'claim', id, number, broker, before });
    return { number, before };
  }

  async release(ended: readonly Ended[]): Promise<void> {
    for (const [id, { number }] of ended) if (this.newest.get(id)?.number === number) this.newest.delete(id);
  }

  async holders(ids: readonly string[]): Promise<(LineHolder | undefined)[]> {
    return ids.map((id) => this.newest.get(id));
  }

  async *all(): AsyncGenerator<readonly [id: string, holder: LineHolder]> {
    yield* [...this.newest];
  }

  async tell(notice: LineNotice): Promise<void> {
    for (const listener of this.listeners) listener(notice);
  }

  async listen(listener: (notice: LineNotice) => void): Promise<() => void> {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
