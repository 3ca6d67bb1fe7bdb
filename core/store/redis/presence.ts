import type { Presence } from '../store.ts';
import { asked, type Connection } from './connection.ts';
import type { Keys } from './keys.ts';

/**
 * KEYS 1 who is there
 * ARGV 1 id · 2 for how long, ms · 3 facts (JSON)
 */
const ANNOUNCE = `
local time = redis.call('TIME')
local untilMs = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2]
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', untilMs) .. ' ' .. ARGV[3])`;

/**
 * KEYS 1 who is there
 * Reply: {id, facts, …} of those whose time is not up; the others are removed.
 */
const LIST = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found, all = {}, redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local untilMs, facts = string.match(all[i + 1], '^(%d+) (.*)$')
  if tonumber(untilMs) > now then
    found[#found + 1] = all[i]
    found[#found + 1] = facts
  else
    redis.call('HDEL', KEYS[1], all[i])
  end
end
return found`;

/** Presence by the clock of the Redis server alone: the processes' own clocks may differ. */
export class RedisPresence implements Presence {
  private readonly connection: Connection;
  private readonly keys: Keys;

  constructor(connection: Connection, keys: Keys) {
    this.connection = connection;
    this.keys = keys;
  }

  async announce(role: string, id: string, facts: unknown, ttlMs: number): Promise<void> {
    await asked(this.connection.eval(ANNOUNCE, 1, this.keys.presence(role), id, ttlMs, JSON.stringify(facts)));
  }

  async withdraw(role: string, id: string): Promise<void> {
    await asked(this.connection.hdel(this.keys.presence(role), id));
  }

  async list(role: string) {
    const all = (await asked(this.connection.eval(LIST, 1, this.keys.presence(role)))) as string[];
    const members = [];
    for (let i = 0; i < all.length; i += 2) {
      members.push({ id: all[i] as string, facts: JSON.parse(all[i + 1] as string) as unknown });
    }
    return members.sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}
