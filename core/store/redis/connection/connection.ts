import { Cluster, type Command, Redis, type RedisOptions } from 'ioredis';
import type { Log } from '../../../runtime/log.ts';
import { within, withinOr } from '../../../waiting/deadline.ts';
import { StoreAway, StoreError, StoreGone, StoreRefusal } from '../../error.ts';
import { describeAddress, type RedisAddress } from '../../redis-address.ts';
import { refusalReason } from './refusals.ts';

/** A connection to one Redis server or to all nodes of a cluster. */
export type RedisConnection = Redis | Cluster;

/** How long in ms to wait for an answer from the server before dropping the connection. */
const ANSWER_LIMIT_MS = 3_000;
/** Idle time in ms after which TCP keep-alive probes a connection, to detect that the server has vanished. */
const KEEPALIVE_MS = 5_000;
/** Interval in ms at which a subscriber pings its server. */
const PING_EVERY_MS = 5_000;
/** Interval in ms at which the slots of a cluster are refreshed. */
const REFRESH_EVERY_MS = 10_000;
/** Time limit in ms for connecting at startup. */
const START_LIMIT_MS = 10_000;
/** Pause in ms before reconnecting. It doubles from `first` to `most`, with jitter. Devices wait until brokers are back. */
const RETRY_MS = { first: 50, most: 400 } as const;
/** The longest pause in ms before a server that is still loading its data is asked again, however long it expects to take. */
const LOADING_RETRY_MS = 250;
/** Errors with which a server answers a request that will not succeed later either, unless a setting or a right is changed. */
const LASTING = /\b(ERR|NOPERM|WRONGPASS|NOAUTH|WRONGTYPE|CROSSSLOT|NOPROTO)\b/;

/** What a connection is used for. */
export interface Use {
  /** The name of the connection in the log. */
  readonly name: string;
  /** True if the connection is only used for subscriptions. During an outage, its commands wait instead of failing. */
  readonly isSubscriber?: boolean;
  readonly keyPrefix?: string;
}

/**
 * Connects, and reconnects for ever. While disconnected, commands fail immediately, and no command is sent twice (except when a
 * cluster redirects it), because only the caller knows whether repeating it would be harmless. Subscribers are an exception:
 * their commands wait, and may be sent again.
 */
export function connect(address: RedisAddress, use: Use, log: Log): RedisConnection {
  const { mode, endpoints, primary, options } = address;
  const common: RedisOptions = {
    ...options,
    ...(use.keyPrefix ? { keyPrefix: use.keyPrefix } : {}),
    lazyConnect: true,
    connectTimeout: ANSWER_LIMIT_MS,
    enableOfflineQueue: use.isSubscriber === true,
    // 0: a command that is in flight when the connection breaks fails immediately.
    maxRetriesPerRequest: use.isSubscriber ? null : 0,
    autoResendUnfulfilledCommands: use.isSubscriber === true,
    retryStrategy: retryAfter,
    sentinelRetryStrategy: retryAfter,
    sentinelCommandTimeout: ANSWER_LIMIT_MS,
    maxLoadingRetryTime: LOADING_RETRY_MS,
    ...(options.tls ? { enableTLSForSentinelMode: true, sentinelTLS: options.tls } : {}),
    keepAlive: KEEPALIVE_MS,
    // If a primary has become a replica, reconnecting finds the new primary.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    ...(use.isSubscriber ? {} : { commandTimeout: ANSWER_LIMIT_MS, socketTimeout: ANSWER_LIMIT_MS }),
  };
  const connection = mode === 'cluster' ? cluster() : single();
  let isReported = false;
  connection.on('error', (error: Error) => {
    const text = `no connection to ${describeAddress(address)}; trying again`;
    if (!isReported) log.warn({ err: error, use: use.name }, text);
    isReported = true;
  });
  if (use.isSubscriber && connection instanceof Redis) pingRegularly(connection);
  // When a connection closes, ioredis does not stop the timer that detects a silent server. It would end the next connection.
  connection.on('close', () => {
    const timed = connection as { socketTimeoutTimer?: NodeJS.Timeout | undefined };
    clearTimeout(timed.socketTimeoutTimer);
    timed.socketTimeoutTimer = undefined;
  });
  connection.on('ready', () => {
    if (isReported) log.info({ use: use.name }, `reconnected to ${describeAddress(address)}`);
    isReported = false;
  });
  return connection;

  function single(): Redis {
    const [endpoint] = endpoints;
    if (mode === 'sentinel') return new Redis({ ...common, sentinels: [...endpoints], name: primary as string });
    return new Redis({ ...common, ...endpoint });
  }

  function cluster(): Cluster {
    const { retryStrategy: _, enableOfflineQueue, lazyConnect, keyPrefix, ...redisOptions } = common;
    return new Cluster([...endpoints], {
      redisOptions,
      enableOfflineQueue: enableOfflineQueue === true,
      lazyConnect: lazyConnect === true,
      ...(keyPrefix ? { keyPrefix } : {}),
      clusterRetryStrategy: retryAfter,
      slotsRefreshTimeout: ANSWER_LIMIT_MS,
      slotsRefreshInterval: REFRESH_EVERY_MS,
    });
  }
}

/** Waits until a connection can be used. @throws StoreError that names the server */
export async function awaitReady(connection: RedisConnection, address: RedisAddress): Promise<void> {
  let last: Error | undefined;
  let refuse: (error: Error) => void = () => {};
  const isRefused = new Promise<never>((_, reject) => {
    refuse = reject;
  });
  const note = (error: Error) => {
    last = error;
    if (isLasting(error))
      refuse(new StoreError(`${describeAddress(address)} refuses the connection: ${error.message}`));
  };
  connection.on('error', note);
  const isReady = new Promise<void>((resolve) => connection.once('ready', resolve));
  connection.connect().catch(note);
  const late = () =>
    new StoreAway(
      `${describeAddress(address)} does not answer (${last?.message ?? 'no reply'}); is it running, and is POLLCAST_REDIS_URL correct?`,
    );
  try {
    await within(START_LIMIT_MS, Promise.race([isReady, isRefused]), late);
  } finally {
    connection.off('error', note);
  }
}

/**
 * Rejects commands while there is a reason, so that nobody works with a store that has lost its data as if it were new. The
 * connection’s own commands while it connects are let through.
 *
 * @param reason a sentence, or undefined if commands may be sent
 */
export function gate(connection: RedisConnection, reason: () => string | undefined): void {
  const send = connection.sendCommand.bind(connection) as (...args: unknown[]) => unknown;
  (connection as { sendCommand: unknown }).sendCommand = (command: Command, ...more: unknown[]) => {
    const why = connection.status === 'ready' ? reason() : undefined;
    if (why === undefined) return send(command, ...more);
    command.reject(new StoreGone(why));
    return command.promise;
  };
}

/** The primaries that a connection uses. */
export function primaries(connection: RedisConnection): Redis[] {
  return connection instanceof Cluster ? connection.nodes('master') : [connection];
}

/** The reply to a command. @throws StoreRefusal if Redis keeps nothing now, StoreAway if the command may succeed later, otherwise StoreError */
export async function replyOf<T>(command: Promise<T>): Promise<T> {
  try {
    return await command;
  } catch (error) {
    if (error instanceof StoreError) throw error;
    const { message } = error as Error;
    const refusal = refusalReason(message);
    if (refusal !== undefined) throw new StoreRefusal(refusal, { cause: error });
    if (isLasting(error as Error)) throw new StoreError(`Redis: ${message}`, { cause: error });
    throw new StoreAway(`Redis: ${message}`, { cause: error });
  }
}

/** True if the server has answered, and will answer the same later. */
function isLasting({ name, message }: Error): boolean {
  // What sentinels answer is reported as part of another error.
  return (name === 'ReplyError' && LASTING.test(message)) || /\b(NOAUTH|WRONGPASS)\b/.test(message);
}

function retryAfter(times: number): number {
  return Math.min(RETRY_MS.first * 2 ** Math.min(times, 10), RETRY_MS.most) * (0.5 + Math.random() / 2);
}

/**
 * Pings a subscriber’s server and reconnects if there is no answer. Without pings, it could take hours to notice that the
 * server has vanished or hangs.
 */
function pingRegularly(connection: Redis): void {
  const timer = setInterval(async () => {
    if (connection.status === 'end') return clearInterval(timer);
    if (connection.status !== 'ready') return;
    const answer = await withinOr(
      ANSWER_LIMIT_MS,
      connection.ping().catch(() => undefined),
      undefined,
    );
    if (answer === undefined && connection.status === 'ready') connection.disconnect(true);
  }, PING_EVERY_MS);
  timer.unref();
}
