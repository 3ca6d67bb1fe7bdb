import type { Cluster, Redis } from 'ioredis';
import { fromStoredTerms, type SessionLedger, type SessionTerms, toStoredTerms } from '../../sessions.ts';
import { script } from '../scripts/script.ts';
import { fieldsOf } from './fields.ts';

const setTerms = script<'allTerms', 'client' | 'connection' | 'terms' | 'isChange'>('devices/set-terms');

/** Sorted set: when each session was last in use, in ms since 1970. */
const SESSIONS = 'sessions';
/** Hash: the terms of each session, for clients of MQTT 5. */
const TERMS = 'session-terms';
/** Set: the clients that have subscriptions, as aedes-persistence-redis stores them. */
const CLIENTS = 'clients';
/** Maximum number of sessions in one command. */
const BATCH = 1_000;

/** The session ledger in Redis. The connection adds the prefix of all keys. */
export class RedisSessionLedger implements SessionLedger {
  private readonly connection: Redis | Cluster;

  constructor(connection: Redis | Cluster) {
    this.connection = connection;
  }

  /**
   * Takes over the sessions that an earlier version stored. Instead of its queues, they get the newest announcements. Its votes
   * at QoS 2, which it kept until they were released, have all been logged.
   */
  async adopt(atMs: number): Promise<void> {
    const clients = await this.connection.smembers(CLIENTS);
    for (const batch of batches(clients)) {
      await this.connection.zadd(SESSIONS, 'NX', ...batch.flatMap((client) => [atMs, client]));
      await this.remove('outgoing', batch);
    }
    for (const batch of batches(await this.connection.zrange(SESSIONS, 0, -1))) await this.remove('incoming', batch);
  }

  async lastUsed(client: string): Promise<number | undefined> {
    const score = await this.connection.zscore(SESSIONS, client);
    return score === null ? undefined : Number(score);
  }

  async create(client: string, atMs: number): Promise<void> {
    await Promise.all([this.connection.del(deliveriesOf(client)), this.connection.zadd(SESSIONS, atMs, client)]);
  }

  async touch(clients: readonly string[], atMs: number): Promise<void> {
    for (const batch of batches(clients)) {
      await this.connection.zadd(SESSIONS, 'XX', ...batch.flatMap((client) => [atMs, client]));
    }
  }

  async unused(beforeMs: number, limit: number): Promise<string[]> {
    return this.connection.zrangebyscore(SESSIONS, '-inf', `(${beforeMs}`, 'LIMIT', 0, limit);
  }

  async terms(client: string): Promise<SessionTerms | undefined> {
    return fromStoredTerms((await this.connection.hget(TERMS, client)) ?? undefined);
  }

  async setTerms(client: string, terms: SessionTerms): Promise<void> {
    await this.writeTerms(client, terms, 0);
  }

  async changeTerms(client: string, terms: SessionTerms): Promise<void> {
    await this.writeTerms(client, terms, 1);
  }

  async ended(beforeMs: number): Promise<string[]> {
    const found: string[] = [];
    for await (const [client, text] of fieldsOf(this.connection, TERMS)) {
      const endsAtMs = fromStoredTerms(text)?.endsAtMs ?? null;
      if (endsAtMs !== null && endsAtMs < beforeMs) found.push(client);
    }
    return found;
  }

  async delete(client: string): Promise<void> {
    await Promise.all([
      this.connection.zrem(SESSIONS, client),
      this.connection.del(deliveriesOf(client)),
      this.connection.hdel(TERMS, client),
    ]);
  }

  async deliveries(client: string): Promise<ReadonlyMap<string, string>> {
    return new Map(Object.entries(await this.connection.hgetall(deliveriesOf(client))));
  }

  async recordDelivery(client: string, topic: string, delivery: string): Promise<void> {
    await this.connection.hset(deliveriesOf(client), topic, delivery);
  }

  async forgetDeliveries(client: string, topics: readonly string[]): Promise<void> {
    if (topics.length > 0) await this.connection.hdel(deliveriesOf(client), ...topics);
  }

  private async writeTerms(client: string, terms: SessionTerms, isChange: 0 | 1): Promise<void> {
    const { connection } = terms;
    const call = setTerms({ allTerms: TERMS }, { client, connection, terms: toStoredTerms(terms), isChange });
    await this.connection.eval(...call);
  }

  private async remove(what: 'outgoing' | 'incoming', clients: readonly string[]): Promise<void> {
    await Promise.all(clients.map((client) => this.connection.del(`${what}:${encodeURIComponent(client)}`)));
  }
}

function deliveriesOf(client: string): string {
  return `delivery:${client}`;
}

function* batches(clients: readonly string[]): Generator<readonly string[]> {
  for (let i = 0; i < clients.length; i += BATCH) yield clients.slice(i, i + BATCH);
}
