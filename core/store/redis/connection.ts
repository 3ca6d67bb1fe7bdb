import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Log } from '../../runtime/log.ts';
import { pause } from '../../runtime/pause.ts';
import { StoreError } from '../error.ts';
import { describeAddress, type RedisAddress } from '../redis-address.ts';

/** A connection to one Redis server or to all nodes of a cluster. */
export type Connection = Redis | Cluster;

/** How long a server that answers nothing is waited for before its connection is given up, ms. */
const ANSWER_LIMIT_MS = 3_000;
/** Probing an idle connection after this long finds a server that is gone without a word, ms. */
const KEEPALIVE_MS = 5_000;
/** How often a listening connection asks whether its server is still there, ms. */
const PING_EVERY_MS = 5_000;
/** How often a cluster is asked who has what, ms. */
const REFRESH_EVERY_MS = 10_000;
/** How long a connection may take to be there at the start, ms. */
const START_LIMIT_MS = 10_000;
/** Pause before connecting again, ms: doubles from the first to the second, with jitter. */
const RETRY_MS = { first: 50, most: 1_000 } as const;

/** What differs between the uses of a connection. */
export interface Use {
  /** What its errors are called in the log. */
  readonly name: string;
  /** Subscribers wait for the server, everybody else for an answer. */
  readonly isSubscriber?: boolean;
  readonly keyPrefix?: string;
}

/**
 * Connects. Commands fail at once while there is no connection and are not sent twice behind the caller's back (but for the redirections of a cluster):
 * whoever sends them knows whether a second try is harmless. Reconnects for ever.
 */
export function connect(address: RedisAddress, use: Use, log: Log): Connection {
  const { mode, endpoints, primary, options } = address;
  const common: RedisOptions = {
    ...options,
    ...(use.keyPrefix ? { keyPrefix: use.keyPrefix } : {}),
    lazyConnect: true,
    connectTimeout: ANSWER_LIMIT_MS,
    enableOfflineQueue: use.isSubscriber === true,
    // 0: what was on its way when the connection broke fails then, and not at some later time.
    maxRetriesPerRequest: use.isSubscriber ? null : 0,
    autoResendUnfulfilledCommands: use.isSubscriber === true,
    retryStrategy: retryAfter,
    sentinelRetryStrategy: retryAfter,
    sentinelCommandTimeout: ANSWER_LIMIT_MS,
    ...(options.tls ? { enableTLSForSentinelMode: true, sentinelTLS: options.tls } : {}),
    keepAlive: KEEPALIVE_MS,
    // A primary that became a replica: the next connection finds the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    ...(use.isSubscriber ? {} : { commandTimeout: ANSWER_LIMIT_MS, socketTimeout: ANSWER_LIMIT_MS }),
  };
  const connection = mode === 'cluster' ? cluster() : single();
  let isTold = false;
  connection.on('error', (error: Error) => {
    if (!isTold) log.warn({ err: error, use: use.name }, `no connection to ${describeAddress(address)}; trying on`);
    isTold = true;
  });
  if (use.isSubscriber && connection instanceof Redis) pingNowAndThen(connection);
  // The client's own timer for a silent server outlives its connection, and would end the next one.
  connection.on('close', () => {
    const timed = connection as { socketTimeoutTimer?: NodeJS.Timeout | undefined };
    clearTimeout(timed.socketTimeoutTimer);
    timed.socketTimeoutTimer = undefined;
  });
  connection.on('ready', () => {
    if (isTold) log.info({ use: use.name }, `connected to ${describeAddress(address)} again`);
    isTold = false;
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

/** Waits until a connection can be used. @throws StoreError that says what does not answer */
export async function ready(connection: Connection, address: RedisAddress): Promise<void> {
  let last: Error | undefined;
  const note = (error: Error) => {
    last = error;
  };
  connection.on('error', note);
  const there = new Promise<void>((resolve) => connection.once('ready', resolve));
  connection.connect().catch(note);
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const tell = () =>
      reject(
        new StoreError(
          `${describeAddress(address)} does not answer (${last?.message ?? 'no reply'}); is it running, and is POLLCAST_REDIS_URL right?`,
        ),
      );
    timer = setTimeout(tell, START_LIMIT_MS);
  });
  try {
    await Promise.race([there, limit]);
  } finally {
    clearTimeout(timer);
    connection.off('error', note);
  }
}

/** The primaries behind a connection. */
export function primaries(connection: Connection): Redis[] {
  return connection instanceof Cluster ? connection.nodes('master') : [connection];
}

/** Runs a command; what goes wrong is a `StoreError`. */
export async function asked<T>(command: Promise<T>): Promise<T> {
  try {
    return await command;
  } catch (error) {
    throw new StoreError(`Redis: ${(error as Error).message}`, { cause: error });
  }
}

function retryAfter(times: number): number {
  return Math.min(RETRY_MS.first * 2 ** Math.min(times, 10), RETRY_MS.most) * (0.5 + Math.random() / 2);
}

/** Who only listens would wait for hours for a server that is gone or frozen: it asks, and connects again. */
function pingNowAndThen(connection: Redis): void {
  const timer = setInterval(async () => {
    if (connection.status === 'end') return clearInterval(timer);
    if (connection.status !== 'ready') return;
    const answer = await Promise.race([connection.ping().catch(() => undefined), pause(ANSWER_LIMIT_MS)]);
    if (answer === undefined && connection.status === 'ready') connection.disconnect(true);
  }, PING_EVERY_MS);
  timer.unref();
}
