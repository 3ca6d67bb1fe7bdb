import { DEVICE_REMEMBERED_MS, type LastLine, MAX_PRESENCE_MS, type Presence } from '../store.ts';
import { type RedisConnection, replyOf } from './connection/connection.ts';
import type { RedisKeys } from './connection/keys.ts';
import { script } from './scripts/script.ts';

const announce = script<'members', 'id' | 'ttlMs' | 'facts'>('processes/announce');
const leave = script<'last', 'line' | 'left' | 'ttlMs'>('devices/leave');
const listPresent = script<'members', 'mostMs'>('processes/list-present');

/** Stands for the last connection of a device that has left. */
const LEFT = '-';

/** Presence, timed only by the clock of the Redis server, because the clocks of processes may differ. */
export class RedisPresence implements Presence {
  private readonly connection: RedisConnection;
  private readonly keys: RedisKeys;

  constructor(connection: RedisConnection, keys: RedisKeys) {
    this.connection = connection;
    this.keys = keys;
  }

  async announce(role: string, id: string, facts: unknown, ttlMs: number): Promise<void> {
    const members = this.keys.presence(role);
    await replyOf(
      this.connection.eval(
        ...announce({ members }, { id, ttlMs: Math.min(ttlMs, MAX_PRESENCE_MS), facts: JSON.stringify(facts) }),
      ),
    );
  }

  async withdraw(role: string, id: string): Promise<void> {
    await replyOf(this.connection.hdel(this.keys.presence(role), id));
  }

  async list(role: string) {
    const all = (await replyOf(
      this.connection.eval(...listPresent({ members: this.keys.presence(role) }, { mostMs: MAX_PRESENCE_MS })),
    )) as string[];
    const members = [];
    for (let i = 0; i < all.length; i += 2) {
      members.push({ id: all[i] as string, facts: JSON.parse(all[i + 1] as string) as unknown });
    }
    return members.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async arrive(device: string, line: string): Promise<LastLine> {
    const key = this.keys.lastLine(device);
    const last = await replyOf(this.connection.set(key, line, 'PX', DEVICE_REMEMBERED_MS, 'GET'));
    if (last === null) return 'unknown';
    return last === LEFT ? 'left' : 'lost';
  }

  async leave(device: string, line: string): Promise<void> {
    const call = leave({ last: this.keys.lastLine(device) }, { line, left: LEFT, ttlMs: DEVICE_REMEMBERED_MS });
    await replyOf(this.connection.eval(...call));
  }
}
