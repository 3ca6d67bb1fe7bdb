import LevelPersistence from 'aedes-persistence-level/asyncPersistence.js';
import type { Sessions } from '../../../broker/sessions/sessions.ts';
import type { SessionLedger, SessionTerms, WillStore } from '../../../core/store/sessions.ts';

type Operation = { type: 'put'; key: string; value: Buffer } | { type: 'del'; key: string };

/** MQTT sessions in the memory of one simulated process; counting does not depend on them. */
export function simulatedSessions(): Sessions {
  const persistence = new LevelPersistence(new MemoryLevel());
  return { persistence, ledger: new MemoryLedger(), wills: new MemoryWills(), close: () => persistence.destroy() };
}

class MemoryLevel {
  private readonly stored = new Map<string, Buffer>();

  async get(key: string): Promise<Buffer | undefined> {
    return this.stored.get(key);
  }

  async put(key: string, value: Buffer): Promise<void> {
    this.stored.set(key, value);
  }

  async del(key: string): Promise<void> {
    this.stored.delete(key);
  }

  async clear({ gte, lt }: { gte: string; lt: string }): Promise<void> {
    for (const key of this.within(gte, lt)) this.stored.delete(key);
  }

  async *values({ gte, lt }: { gte: string; lt: string }): AsyncGenerator<Buffer> {
    for (const key of this.within(gte, lt)) yield this.stored.get(key) as Buffer;
  }

  batch(operations?: readonly Operation[]) {
    if (operations) return this.write(operations);
    const collected: Operation[] = [];
    return {
      del: (key: string) => void collected.push({ type: 'del', key }),
      write: () => this.write(collected),
    };
  }

  async close(): Promise<void> {}

  private within(gte: string, lt: string): string[] {
    return [...this.stored.keys()].filter((key) => key >= gte && key < lt).sort();
  }

  private async write(operations: readonly Operation[]): Promise<void> {
    for (const operation of operations) {
      if (operation.type === 'put') this.stored.set(operation.key, operation.value);
      else this.stored.delete(operation.key);
    }
  }
}

class MemoryLedger implements SessionLedger {
  private readonly used = new Map<string, number>();
  private readonly agreed = new Map<string, SessionTerms>();
  private readonly delivered = new Map<string, Map<string, string>>();

  async lastUsed(client: string): Promise<number | undefined> {
    return this.used.get(client);
  }

  async create(client: string, atMs: number): Promise<void> {
    this.used.set(client, atMs);
    this.delivered.set(client, new Map());
  }

  async touch(clients: readonly string[], atMs: number): Promise<void> {
    for (const client of clients) if (this.used.has(client)) this.used.set(client, atMs);
  }

  async unused(beforeMs: number, limit: number): Promise<string[]> {
    return [...this.used]
      .filter(([, atMs]) => atMs < beforeMs)
      .map(([client]) => client)
      .slice(0, limit);
  }

  async terms(client: string): Promise<SessionTerms | undefined> {
    return this.agreed.get(client);
  }

  async setTerms(client: string, terms: SessionTerms): Promise<void> {
    if ((this.agreed.get(client)?.connection ?? 0) <= terms.connection) this.agreed.set(client, terms);
  }

  async changeTerms(client: string, terms: SessionTerms): Promise<void> {
    if (this.agreed.get(client)?.connection === terms.connection) this.agreed.set(client, terms);
  }

  async ended(beforeMs: number): Promise<string[]> {
    return [...this.agreed]
      .filter(([, { endsAtMs }]) => endsAtMs !== null && endsAtMs < beforeMs)
      .map(([client]) => client);
  }

  async delete(client: string): Promise<void> {
    this.used.delete(client);
    this.agreed.delete(client);
    this.delivered.delete(client);
  }

  async deliveries(client: string): Promise<ReadonlyMap<string, string>> {
    return this.delivered.get(client) ?? new Map();
  }

  async recordDelivery(client: string, topic: string, delivery: string): Promise<void> {
    this.delivered.get(client)?.set(topic, delivery);
  }

  async forgetDeliveries(client: string, topics: readonly string[]): Promise<void> {
    for (const topic of topics) this.delivered.get(client)?.delete(topic);
  }
}

class MemoryWills implements WillStore {
  private readonly waiting = new Map<string, string>();

  async put(client: string, text: string): Promise<void> {
    this.waiting.set(client, text);
  }

  async change(client: string, from: string, to: string | undefined): Promise<boolean> {
    if (this.waiting.get(client) !== from) return false;
    if (to === undefined) this.waiting.delete(client);
    else this.waiting.set(client, to);
    return true;
  }

  async get(client: string): Promise<string | undefined> {
    return this.waiting.get(client);
  }

  async *all(): AsyncGenerator<readonly [client: string, text: string]> {
    yield* this.waiting;
  }
}
