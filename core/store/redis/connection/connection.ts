import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Log } from '../../../runtime/log.ts';
import { within, withinOr } from '../../../waiting/deadline.ts';
import { StoreError } from '../../error.ts';
import { describeAddress, type RedisAddress } from '../../redis-address.ts';

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
/** Pause in ms before reconnecting. It doubles from `first` to `most`, with jitter. */
const RETRY_MS = { first: 50, most: 1_000 } as const;

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
  const note = (error: Error) => {
    last = error;
  };
  connection.on('error', note);
  const isReady = new Promise<void>((resolve) => connection.once('ready', resolve));
  connection.connect().catch(note);
  const late = () =>
    new StoreError(
      `${describeAddress(address)} does not answer (${last?.message ?? 'no reply'}); is it running, and is POLLCAST_REDIS_URL correct?`,
    );
  try {
    await within(START_LIMIT_MS, isReady, late);
  } finally {
    connection.off('error', note);
  }
}

/** The primaries that a connection uses. */
export function primaries(connection: RedisConnection): Redis[] {
  return connection instanceof Cluster ? connection.nodes('master') : [connection];
}

/** The reply to a command. @throws StoreError if the command fails */
export async function replyOf<T>(command: Promise<T>): Promise<T> {
  try {
    return await command;
  } catch (error) {
    throw new StoreError(`Redis: ${(error as Error).message}`, { cause: error });
  }
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
