import type { Database } from 'lmdb';
import { fromStoredTerms, type SessionLedger, type SessionTerms, toStoredTerms } from '../../sessions.ts';
import { awaitWrite } from '../await-write.ts';
import { rangeOf } from './range.ts';

const SESSION = 'session:';
const TERMS = 'session-terms:';
const DELIVERY = 'delivery:';
/** The prefix under which aedes-persistence-level stores subscriptions. */
const SUBSCRIPTIONS = 'subscriptions:';
/** The prefixes under which it stored, in earlier versions, queued messages, and votes at QoS 2 until they were released. */
const OUTDATED = ['outgoing:', 'outgoing-id:', 'incoming:'] as const;

/** The session ledger in the file that also has the subscriptions, with one entry for each session and for each delivery. */
export class EmbeddedSessionLedger implements SessionLedger {
  private readonly db: Database<Buffer, string>;

  constructor(db: Database<Buffer, string>) {
    this.db = db;
  }

  /**
   * Takes over the sessions that an earlier version stored. Instead of its queues, they get the newest announcements. Its votes
   * have all been logged.
   */
  async adopt(atMs: number): Promise<void> {
    const clients = new Set<string>();
    for (const key of this.keys(SUBSCRIPTIONS)) clients.add(decodeURIComponent(key.split(':')[1] ?? ''));
    const outdated = OUTDATED.flatMap((prefix) => this.keys(prefix));
    const unknown = [...clients].filter((client) => this.db.get(SESSION + client) === undefined);
    await this.write(() => {
      for (const client of unknown) this.db.putSync(SESSION + client, Buffer.from(String(atMs)));
      for (const key of outdated) this.db.removeSync(key);
    });
  }

  async lastUsed(client: string): Promise<number | undefined> {
    const kept = this.db.get(SESSION + client);
    return kept && Number(kept.toString());
  }

  async create(client: string, atMs: number): Promise<void> {
    await this.write(() => {
      for (const key of this.keys(deliveriesOf(client))) this.db.removeSync(key);
      this.db.putSync(SESSION + client, Buffer.from(String(atMs)));
    });
  }

  async touch(clients: readonly string[], atMs: number): Promise<void> {
    await this.write(() => {
      for (const client of clients) {
        if (this.db.get(SESSION + client)) this.db.putSync(SESSION + client, Buffer.from(String(atMs)));
      }
    });
  }

  async unused(beforeMs: number, limit: number): Promise<string[]> {
    const found: string[] = [];
    for (const { key, value } of this.db.getRange(rangeOf(SESSION))) {
      if (found.length >= limit) break;
      if (Number(value.toString()) < beforeMs) found.push(key.slice(SESSION.length));
    }
    return found;
  }

  async terms(client: string): Promise<SessionTerms | undefined> {
    return this.readTerms(client);
  }

  async setTerms(client: string, terms: SessionTerms): Promise<void> {
    await this.write(() => {
      const before = this.readTerms(client);
      if (!before || before.connection <= terms.connection) this.writeTerms(client, terms);
    });
  }

  async changeTerms(client: string, terms: SessionTerms): Promise<void> {
    await this.write(() => {
      if (this.readTerms(client)?.connection === terms.connection) this.writeTerms(client, terms);
    });
  }

  async ended(beforeMs: number): Promise<string[]> {
    const found: string[] = [];
    for (const { key, value } of this.db.getRange(rangeOf(TERMS))) {
      const endsAtMs = fromStoredTerms(value.toString())?.endsAtMs ?? null;
      if (endsAtMs !== null && endsAtMs < beforeMs) found.push(key.slice(TERMS.length));
    }
    return found;
  }

  async delete(client: string): Promise<void> {
    await this.write(() => {
      for (const key of this.keys(deliveriesOf(client))) this.db.removeSync(key);
      this.db.removeSync(SESSION + client);
      this.db.removeSync(TERMS + client);
    });
  }

  async deliveries(client: string): Promise<ReadonlyMap<string, string>> {
    const prefix = deliveriesOf(client);
    const found = [...this.db.getRange(rangeOf(prefix))];
    return new Map(found.map(({ key, value }) => [key.slice(prefix.length), value.toString()]));
  }

  async recordDelivery(client: string, topic: string, delivery: string): Promise<void> {
    await awaitWrite(this.db.put(deliveriesOf(client) + topic, Buffer.from(delivery)));
  }

  async forgetDeliveries(client: string, topics: readonly string[]): Promise<void> {
    await this.write(() => {
      for (const topic of topics) this.db.removeSync(deliveriesOf(client) + topic);
    });
  }

  private readTerms(client: string): SessionTerms | undefined {
    return fromStoredTerms(this.db.get(TERMS + client)?.toString());
  }

  private writeTerms(client: string, terms: SessionTerms): void {
    this.db.putSync(TERMS + client, Buffer.from(toStoredTerms(terms)));
  }

  private async write(change: () => void): Promise<void> {
    await awaitWrite(this.db.childTransaction(change));
  }

  private keys(prefix: string): string[] {
    return [...this.db.getKeys(rangeOf(prefix))];
  }
}

function deliveriesOf(client: string): string {
  return `${DELIVERY}${client}:`;
}
