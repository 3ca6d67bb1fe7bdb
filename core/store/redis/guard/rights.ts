import type { Redis } from 'ioredis';
import { StoreError } from '../../error.ts';
import { type RedisConnection, replyOf } from '../connection/connection.ts';
import type { DurabilityLevel } from './inspection.ts';

type Command = readonly [name: string, ...args: (string | number)[]];

/**
 * Every command that the store and the MQTT sessions use, with arguments that change nothing: the key holds a text, so commands
 * for other types fail, but only after Redis has checked the rights.
 */
function commandsOn(key: string): Command[] {
  return [
    ['SET', key, 'x', 'PX', 10_000],
    ['GET', key],
    ['MSET', key, 'x'],
    ['COPY', key, key],
    ['RENAME', key, key],
    ['PERSIST', key],
    ['SETNX', key, 'x'],
    ['EXISTS', key],
    ['EXPIRE', key, 10],
    ['PEXPIRE', key, 10_000],
    ['DECR', key],
    ['EVAL', 'return redis.call("TIME")', 1, key],
    ['TIME'],
    ['PING'],
    ['INFO'],
    ['HDEL', key, 'f'],
    ['HGET', key, 'f'],
    ['HGETALL', key],
    ['HINCRBY', key, 'f', 1],
    ['HKEYS', key],
    ['HLEN', key],
    ['HMGET', key, 'f'],
    ['HMSET', key, 'f', 'x'],
    ['HSCAN', key, 0],
    ['HSET', key, 'f', 'x'],
    ['HSETNX', key, 'f', 'x'],
    ['LRANGE', key, 0, 0],
    ['LREM', key, 0, 'x'],
    ['LTRIM', key, 0, 0],
    ['RPUSH', key, 'x'],
    ['SADD', key, 'x'],
    ['SCARD', key],
    ['SMEMBERS', key],
    ['SREM', key, 'x'],
    ['XADD', key, '*', 'f', 'x'],
    ['XINFO', 'STREAM', key],
    ['XRANGE', key, '-', '+', 'COUNT', 1],
    ['XREVRANGE', key, '+', '-', 'COUNT', 1],
    ['XTRIM', key, 'MINID', '0-1'],
    ['ZADD', key, 0, 'x'],
    ['ZCARD', key],
    ['ZPOPMIN', key, 1],
    ['ZRANGEBYSCORE', key, 0, 0],
    ['ZREM', key, 'x'],
    ['ZREMRANGEBYSCORE', key, 0, 0],
    ['ZSCORE', key, 'x'],
    ['DEL', key],
    ['UNLINK', key],
  ];
}

interface Rights {
  readonly working: RedisConnection;
  readonly listening: RedisConnection;
  readonly prefix: string;
  readonly durability: DurabilityLevel;
}

/**
 * Tries everything that is needed, so that no right is missed for the first time when a vote is stored.
 * @throws StoreError that lists the missing rights, in the form in which Redis grants them
 */
export async function demandRights({ working, listening, prefix, durability }: Rights): Promise<void> {
  const missing = new Set<string>();
  const attempt = async (command: Promise<unknown>, right: string) => {
    const failure = await command.then(
      () => undefined,
      (error: Error) => error,
    );
    if (failure === undefined) return;
    if (!failure.message.startsWith('NOPERM')) {
      // Any other error of Redis comes after the rights were checked.
      if (failure.name !== 'ReplyError') await replyOf(Promise.reject(failure));
      return;
    }
    if (/keys/.test(failure.message)) missing.add(`~${prefix}:*`).add(`~{${prefix}:*`);
    // Redis allows subscriptions to patterns only to users with all channels.
    else if (/channels/.test(failure.message)) missing.add('&*');
    else missing.add(right);
  };
  for (const key of [`${prefix}:rights`, `{${prefix}:rights}`]) {
    const attempts = commandsOn(key).map(([name, ...args]) =>
      attempt(working.call(name, ...args), `+${name.toLowerCase()}`),
    );
    await Promise.all(attempts);
  }
  const channel = `${prefix}:rights`;
  await attempt(working.publish(channel, ''), '+publish');
  // What a subscriber sends while it is disconnected waits. Here it is connected, because it was just awaited.
  const subscriber = listening as Redis;
  await attempt(subscriber.subscribe(channel), '+subscribe');
  await attempt(subscriber.psubscribe(`${channel}*`), '+psubscribe');
  await attempt(subscriber.unsubscribe(channel), '+unsubscribe');
  await attempt(subscriber.punsubscribe(`${channel}*`), '+punsubscribe');
  if (durability === 'replicated') await attempt(working.call('WAIT', 0, 1), '+wait');
  if (durability === 'fsync') await attempt(working.call('CONFIG', 'GET', 'appendfsync'), '+config|get');
  if (missing.size === 0) return;
  throw new StoreError(
    `the Redis user lacks these rights: ${[...missing].join(' ')}; grant them with ACL SETUSER (docs/OPERATIONS.md, "The Redis user", has the whole line)`,
  );
}
