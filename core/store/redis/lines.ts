import type { Redis } from 'ioredis';
import type { Claim, Ended, LineHolder, LineNotice, Lines } from '../store.ts';
import { type RedisConnection, replyOf } from './connection/connection.ts';
import type { RedisKeys } from './connection/keys.ts';
import { script } from './scripts/script.ts';

const claimLine = script<'newest' | 'lines', 'beginMs' | 'id' | 'broker' | 'channel'>('devices/claim-line');
const releaseLines = script<'lines', never>('devices/release-lines');

/** The beginning of 2026, in ms since 1970. Connection numbers count from then, to keep them short. */
const CONNECTIONS_BEGIN_MS = 1_767_225_600_000;
/** The number of connections that one call of the script forgets, so that it does not delay other commands. */
const RELEASED_TOGETHER = 500;
/** The number of ids looked up or scanned at a time. */
const MANY = 1_000;

/** The newest connection of each client id in a Redis hash; brokers hear of each other’s through publish/subscribe. */
export class RedisLines implements Lines {
  private readonly connection: RedisConnection;
  private readonly listening: Redis;
  private readonly keys: RedisKeys;
  private readonly listeners = new Set<(notice: LineNotice) => void>();

  /** @param listening used only for subscriptions, because a subscriber cannot run other commands */
  constructor(connection: RedisConnection, listening: RedisConnection, keys: RedisKeys) {
    this.connection = connection;
    this.listening = listening as Redis;
    this.keys = keys;
    this.listening.on('message', (channel, text: string) => {
      if (channel === keys.lineNotices) this.hear(text);
    });
  }

  async claim(id: string, broker: string): Promise<Claim> {
    const keys = { newest: this.keys.connections, lines: this.keys.lines };
    const call = claimLine(keys, { beginMs: CONNECTIONS_BEGIN_MS, id, broker, channel: this.keys.lineNotices });
    const [number, before] = (await replyOf(this.connection.eval(...call))) as [string, string];
    return { number: Number(number), before: fromStored(before) };
  }

  async release(ended: readonly Ended[]): Promise<void> {
    for (let at = 0; at < ended.length; at += RELEASED_TOGETHER) {
      const values = ended.slice(at, at + RELEASED_TOGETHER).flatMap(([id, holder]) => [id, toStored(holder)]);
      await replyOf(this.connection.eval(...releaseLines({ lines: this.keys.lines }, {}, [], values)));
    }
  }

  async holders(ids: readonly string[]): Promise<(LineHolder | undefined)[]> {
    const found: (LineHolder | undefined)[] = [];
    for (let at = 0; at < ids.length; at += MANY) {
      const stored = await replyOf(this.connection.hmget(this.keys.lines, ...ids.slice(at, at + MANY)));
      found.push(...stored.map((text) => fromStored(text ?? '')));
    }
    return found;
  }

  async *all(): AsyncGenerator<readonly [id: string, holder: LineHolder]> {
    let cursor = '0';
    do {
      const [next, fields] = await replyOf(this.connection.hscan(this.keys.lines, cursor, 'COUNT', MANY));
      for (let i = 0; i < fields.length; i += 2) {
        const holder = fromStored(fields[i + 1] as string);
        if (holder) yield [fields[i] as string, holder];
      }
      cursor = next;
    } while (cursor !== '0');
  }

  async tell(notice: LineNotice): Promise<void> {
    const { id, number, broker } = notice;
    const before = notice.is === 'claim' && notice.before ? toStored(notice.before) : '';
    const text = `${notice.is} ${id} ${toStored({ number, broker })} ${before}`;
    await replyOf(this.connection.publish(this.keys.lineNotices, text));
  }

  async listen(listener: (notice: LineNotice) => void): Promise<() => void> {
    this.listeners.add(listener);
    await this.listening.subscribe(this.keys.lineNotices);
    return () => this.listeners.delete(listener);
  }

  private hear(text: string): void {
    const [is, id, number, broker, ...before] = text.split(' ');
    if (id === undefined || broker === undefined || (is !== 'claim' && is !== 'gone')) return;
    const holder = { number: Number(number), broker };
    const notice: LineNotice =
      is === 'gone' ? { is, id, ...holder } : { is, id, ...holder, before: fromStored(before.join(' ')) };
    for (const listener of this.listeners) listener(notice);
  }
}

function toStored({ number, broker }: LineHolder): string {
  return `${number} ${broker}`;
}

function fromStored(text: string): LineHolder | undefined {
  const [number, broker] = text.split(' ');
  return number && broker ? { number: Number(number), broker } : undefined;
}
