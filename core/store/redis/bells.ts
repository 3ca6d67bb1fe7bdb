import type { Redis } from 'ioredis';
import { Bell } from '../bell.ts';
import type { Connection } from './connection.ts';
import type { Keys, Rung } from './keys.ts';

/**
 * Wakes readers when there is something new, through Redis publish/subscribe. A ring may be lost with its connection,
 * so nobody waits for one without a limit; after a reconnect all are woken.
 */
export class Bells {
  private readonly connection: Redis;
  private readonly keys: Keys;
  private readonly byChannel = new Map<string, Bell>();

  /** @param connection one of its own: a subscriber cannot do anything else */
  constructor(connection: Connection, keys: Keys) {
    this.connection = connection as Redis;
    this.keys = keys;
    this.connection.on('message', (channel) => this.byChannel.get(channel)?.ring());
    this.connection.on('ready', () => {
      for (const bell of this.byChannel.values()) bell.ring();
    });
  }

  /** A bell; who never asks for one is not woken for it. */
  of(what: Rung): Bell {
    const channel = this.keys.bell(what);
    let bell = this.byChannel.get(channel);
    if (!bell) {
      this.byChannel.set(channel, (bell = new Bell()));
      // Until this is done, and if it fails, readers look by themselves.
      this.connection.subscribe(channel).catch(() => {});
    }
    return bell;
  }
}
