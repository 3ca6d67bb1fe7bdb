import type { Cluster, Redis } from 'ioredis';
import type { WillStore } from '../../sessions.ts';
import { script } from '../scripts/script.ts';
import { fieldsOf } from './fields.ts';

const changeWill = script<'wills', 'client' | 'from' | 'to'>('devices/change-will');

/** Hash: the wills that wait after the end of a connection, by client. */
const WILLS = 'delayed-wills';

/** Waiting wills in Redis. The connection adds the prefix of all keys. */
export class RedisWills implements WillStore {
  private readonly connection: Redis | Cluster;

  constructor(connection: Redis | Cluster) {
    this.connection = connection;
  }

  async put(client: string, text: string): Promise<void> {
    await this.connection.hset(WILLS, client, text);
  }

  async change(client: string, from: string, to: string | undefined): Promise<boolean> {
    const call = changeWill({ wills: WILLS }, { client, from, to: to ?? '' });
    return (await this.connection.eval(...call)) === 1;
  }

  async get(client: string): Promise<string | undefined> {
    return (await this.connection.hget(WILLS, client)) ?? undefined;
  }

  all(): AsyncIterable<readonly [client: string, text: string]> {
    return fieldsOf(this.connection, WILLS);
  }
}
