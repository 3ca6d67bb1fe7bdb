import type { Trails } from '../store.ts';
import { type DeviceEvent, KEPT_EVENTS, KEPT_TRAILS, TRAIL_TTL_MS } from '../trail.ts';
import { type RedisConnection, replyOf } from './connection/connection.ts';
import type { RedisKeys } from './connection/keys.ts';
import { script } from './scripts/script.ts';

/** How many devices one call of the script writes, so that it does not delay other commands. */
const WRITE_TOGETHER = 200;

const addEvents = script<'index', 'keptEvents' | 'keptTrails' | 'ttlMs'>('devices/add-events');

/** Trails of devices: a list each, which expires, and an index, all in one slot of a cluster. */
export class RedisTrails implements Trails {
  private readonly connection: RedisConnection;
  private readonly keys: RedisKeys;

  constructor(connection: RedisConnection, keys: RedisKeys) {
    this.connection = connection;
    this.keys = keys;
  }

  async add(events: ReadonlyMap<string, readonly DeviceEvent[]>): Promise<void> {
    const limits = { keptEvents: KEPT_EVENTS, keptTrails: KEPT_TRAILS, ttlMs: TRAIL_TTL_MS };
    const all = [...events];
    for (let at = 0; at < all.length; at += WRITE_TOGETHER) {
      const some = all.slice(at, at + WRITE_TOGETHER);
      const values = some.flatMap(([device, more]) => {
        const newest = more.slice(-KEPT_EVENTS);
        return [device, newest.length, ...newest.map((event) => JSON.stringify(event))];
      });
      await replyOf(this.connection.eval(...addEvents({ index: this.keys.trails }, limits, [], values)));
    }
  }

  async of(device: string): Promise<readonly DeviceEvent[]> {
    const lines = await replyOf(this.connection.lrange(this.keys.trail(device), 0, -1));
    return lines.map((line) => JSON.parse(line) as DeviceEvent);
  }
}
