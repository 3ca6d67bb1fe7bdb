import type { Redis } from 'ioredis';
import { Bell } from '../../../waiting/bell.ts';
import type { RedisConnection } from './connection.ts';
import type { BellTopic, RedisKeys } from './keys.ts';

/**
 * Wakes readers through Redis publish/subscribe when there is something new. A ring is lost if the connection fails, so every
 * wait has a time limit, and all readers are woken after a reconnect.
 */
export class Bells {
  private readonly connection: Redis;
  private readonly keys: RedisKeys;
  private readonly byChannel = new Map<string, Bell>();

  /** @param connection used only for subscriptions, because a subscriber cannot run other commands */
  constructor(connection: RedisConnection, keys: RedisKeys) {
    this.connection = connection as Redis;
    this.keys = keys;
    this.connection.on('message', (channel) => this.byChannel.get(channel)?.ring());
    this.connection.on('ready', () => {
      for (const bell of this.byChannel.values()) bell.ring();
    });
  }

  /** The bell for `what`, subscribed to on first use. */
  of(what: BellTopic): Bell {
    const channel = this.keys.bell(what);
    let bell = this.byChannel.get(channel);
    if (!bell) {
      this.byChannel.set(channel, (bell = new Bell()));
      // Until the subscription succeeds, readers only notice something new when their wait times out.
      this.connection.subscribe(channel).catch(() => {});
    }
    return bell;
  }
}
