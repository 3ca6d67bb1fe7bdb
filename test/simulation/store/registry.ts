import {
  type Claim,
  type Collection,
  type Ended,
  type LastLine,
  type LineHolder,
  type LineNotice,
  type Lines,
  type Presence,
  type Registry,
  type Versioned,
  WATCHED,
  type Watched,
  type WriteListener,
} from '../../../core/store/store.ts';
import type { Access } from './access.ts';
import type { Database } from './database.ts';

/** Interval in ms at which notices are read, even if none was announced. */
const FOLLOW_EVERY_MS = 1_000;
/** The newest number of a connection, in the table of whatever is kept. */
const NEWEST = 'newest';

/** The documents of a simulated store. */
export class SimulatedRegistry implements Registry {
  private readonly access: Access;
  private readonly database: Database;
  private readonly listeners = new Set<WriteListener>();
  private readonly halt = new AbortController();
  private cursor: number;
  private notifying: Promise<void> = Promise.resolve();

  constructor(access: Access, database: Database) {
    this.access = access;
    this.database = database;
    this.cursor = database.writes.at(-1)?.id ?? 0;
    void this.follow();
  }

  close(): void {
    this.halt.abort();
  }

  get<T>(collection: Collection, id: string): Promise<Versioned<T> | undefined> {
    return this.access.call('rest', 'read', () => this.database.get<T>(collection, id));
  }

  list<T>(collection: Collection) {
    return this.access.call('rest', 'read', () => this.database.list<T>(collection));
  }

  put<T>(collection: Collection, id: string, value: T, expected?: number): Promise<number | undefined> {
    const text = JSON.stringify(value);
    return this.access.call('rest', 'keep', () => {
      const version = this.database.put(collection, id, text, expected);
      if (version !== undefined) this.access.ring('writes');
      return version;
    });
  }

  remove(collection: Collection, id: string, expected?: number): Promise<boolean> {
    return this.access.call('rest', 'keep', () => {
      const isRemoved = this.database.put(collection, id, undefined, expected) !== undefined;
      if (isRemoved) this.access.ring('writes');
      return isRemoved;
    });
  }

  watch(listener: WriteListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  caughtUp(): Promise<void> {
    this.notifying = this.notifying.catch(() => {}).then(() => this.notifyAll());
    return this.notifying;
  }

  private async follow(): Promise<void> {
    const { signal } = this.halt;
    while (!signal.aborted) {
      await this.access.bell('writes').wait(FOLLOW_EVERY_MS, signal);
      if (!signal.aborted) await this.caughtUp().catch(() => {});
    }
  }

  private async notifyAll(): Promise<void> {
    const { database } = this;
    const { isGap, missed, end } = await this.access.call('rest', 'read', () => {
      const { writes } = database;
      const at = writes.findLastIndex(({ id }) => id === this.cursor);
      // If the last known write is gone, the store went back to older data, and any document may have changed.
      const isGap = at === -1 && !(this.cursor === 0 && writes.length < 1_000);
      const missed = isGap
        ? everything(database)
        : writes.slice(at + 1).map(({ collection, document }) => [collection, document] as const);
      return { isGap, missed, end: writes.at(-1)?.id ?? 0 };
    });
    if (!isGap && missed.length === 0) return;
    for (const [collection, id] of missed) {
      for (const listener of this.listeners) listener(collection as Watched, id);
    }
    this.cursor = end;
  }
}

function everything(database: Database): (readonly [Watched, string])[] {
  return WATCHED.flatMap((collection) => database.list(collection).map(({ id }) => [collection, id] as const));
}

/** Who is present, by the clock of the server. */
export class SimulatedPresence implements Presence {
  private readonly access: Access;
  private readonly database: Database;

  constructor(access: Access, database: Database) {
    this.access = access;
    this.database = database;
  }

  async announce(role: string, id: string, facts: unknown, ttlMs: number): Promise<void> {
    const text = JSON.stringify(facts);
    await this.access.call('rest', 'write', () => {
      const untilMs = this.access.clockMs() + ttlMs;
      this.database.journal.set(this.members(role), id, `{"untilMs":${untilMs},"facts":${text}}`);
    });
  }

  async withdraw(role: string, id: string): Promise<void> {
    await this.access.call('rest', 'write', () => this.database.journal.delete(this.members(role), id));
  }

  list(role: string) {
    return this.access.call('rest', 'read', () => {
      const nowMs = this.access.clockMs();
      return [...this.members(role)]
        .map(([id, text]) => ({ id, ...(JSON.parse(text) as { untilMs: number; facts: unknown }) }))
        .filter(({ untilMs }) => untilMs > nowMs)
        .map(({ id, facts }) => ({ id, facts }));
    });
  }

  arrive(device: string, line: string): Promise<LastLine> {
    return this.access.call('rest', 'write', () => {
      const last = this.database.table('last').get(device);
      this.database.journal.set(this.database.table('last'), device, line);
      if (last === undefined) return 'unknown';
      return last === '' ? 'left' : 'lost';
    });
  }

  async leave(device: string, line: string): Promise<void> {
    await this.access.call('rest', 'write', () => {
      const last = this.database.table('last');
      if (last.get(device) === line) this.database.journal.set(last, device, '');
    });
  }

  private members(role: string): Map<string, string> {
    return this.database.table(`present ${role}`);
  }
}

/** The newest connection of each client id; brokers hear of each other’s through publish and subscribe. */
export class SimulatedLines implements Lines {
  private readonly access: Access;
  private readonly database: Database;

  constructor(access: Access, database: Database) {
    this.access = access;
    this.database = database;
  }

  claim(id: string, broker: string): Promise<Claim> {
    return this.access.call('rest', 'write', () => {
      const { journal } = this.database;
      const kept = this.database.table('kept');
      const sinceMs = this.access.clockMs() - Date.UTC(2026, 0, 1);
      const number = Math.max(sinceMs, Number(kept.get(NEWEST) ?? 0) + 1);
      const before = this.holder(id);
      journal.set(kept, NEWEST, String(number));
      journal.set(this.lines, id, JSON.stringify({ number, broker } satisfies LineHolder));
      this.access.publish(JSON.stringify({ is: 'claim', id, number, broker, before } satisfies LineNotice));
      return { number, before };
    });
  }

  async release(ended: readonly Ended[]): Promise<void> {
    await this.access.call('rest', 'write', () => {
      for (const [id, { number }] of ended) {
        if (this.holder(id)?.number === number) this.database.journal.delete(this.lines, id);
      }
    });
  }

  holders(ids: readonly string[]): Promise<(LineHolder | undefined)[]> {
    return this.access.call('rest', 'read', () => ids.map((id) => this.holder(id)));
  }

  async *all(): AsyncGenerator<readonly [id: string, holder: LineHolder]> {
    const ids = await this.access.call('rest', 'read', () => [...this.lines.keys()]);
    for (const [i, holder] of (await this.holders(ids)).entries()) if (holder) yield [ids[i] as string, holder];
  }

  async tell(notice: LineNotice): Promise<void> {
    await this.access.call('rest', 'write', () => this.access.publish(JSON.stringify(notice)));
  }

  async listen(listener: (notice: LineNotice) => void): Promise<() => void> {
    return this.access.subscribe((text) => listener({ before: undefined, ...JSON.parse(text) }));
  }

  private get lines(): Map<string, string> {
    return this.database.table('lines');
  }

  private holder(id: string): LineHolder | undefined {
    const text = this.lines.get(id);
    return text === undefined ? undefined : JSON.parse(text);
  }
}
