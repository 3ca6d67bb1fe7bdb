import { Redis } from 'ioredis';
import type { Log } from '../../../runtime/log.ts';
import type { RedisAddress } from '../../redis-address.ts';
import type { RedisConnection } from './connection.ts';

/** Pause in ms before a sentinel that cannot be reached is tried again. */
const RETRY_MS = 1_000;
/** How long in ms after a switch a sentinel that has not heard of it may still name the old primary. */
const RUMOUR_MS = 15_000;

/** The sentinels say this before they promote a replica. What is acknowledged after that may be lost. */
const BEGINS = ['+try-failover', '+failover-state-select-slave', '+selected-slave', '+promoted-slave'];
/** The sentinels say this when there is a new primary, or when they have given up. */
const SWITCHED = '+switch-master';
const GIVEN_UP = ['-failover-abort-no-good-slave', '-failover-abort-slave-timeout', '-failover-abort-not-elected'];

/** Called as a failover proceeds. */
export interface FailoverListener {
  /** A failover begins. Called several times for one. @param text what the sentinels say */
  begins?(text: string): void;
  /** There is a new primary, to which the connections are about to be made. */
  switched?(): void;
  givenUp?(): void;
}

/**
 * Listens to the sentinels, and leads connections to the new primary as soon as they name it. Otherwise a connection would stay
 * with the old one until that becomes a replica, up to 10 s later, and everything written there would be lost. The detector of
 * ioredis does the same, but if it fires while a connection is being made again, that connection ends for ever.
 */
export class SentinelWatch {
  private readonly sentinels: readonly Redis[];
  private readonly primary: string;
  private readonly connections: readonly RedisConnection[];
  private readonly listener: FailoverListener;
  private readonly log: Log;
  private switched = '';
  private switchedAtMs = Number.NEGATIVE_INFINITY;

  private constructor(
    { endpoints, primary, options }: RedisAddress,
    connections: readonly RedisConnection[],
    listener: FailoverListener,
    log: Log,
  ) {
    this.primary = primary as string;
    this.connections = connections;
    this.listener = listener;
    this.log = log;
    for (const connection of connections) connection.on('ready', () => this.leaveOldPrimary(connection as Redis));
    this.sentinels = endpoints.map(({ host, port }) => {
      const sentinel = new Redis({
        ...{ host, port, maxRetriesPerRequest: null, retryStrategy: () => RETRY_MS, enableReadyCheck: false },
        ...(options.sentinelUsername ? { username: options.sentinelUsername } : {}),
        ...(options.sentinelPassword ? { password: options.sentinelPassword } : {}),
        ...(options.tls ? { tls: options.tls } : {}),
      });
      sentinel.on('error', (error) =>
        log.debug({ err: error, host, port }, 'no connection to a sentinel; trying again'),
      );
      sentinel.on('message', (event, text: string) => this.hear(event, text));
      sentinel
        .subscribe(SWITCHED, ...BEGINS, ...GIVEN_UP)
        .catch((error) =>
          log.warn({ err: error, host, port }, 'cannot listen to a sentinel; failovers may lose votes'),
        );
      return sentinel;
    });
  }

  /** Undefined unless the address is one of sentinels. */
  static open(
    address: RedisAddress,
    connections: readonly RedisConnection[],
    log: Log,
    listener: FailoverListener = {},
  ): SentinelWatch | undefined {
    return address.mode === 'sentinel' ? new SentinelWatch(address, connections, listener, log) : undefined;
  }

  close(): void {
    for (const sentinel of this.sentinels) sentinel.disconnect();
  }

  /** @param text what happened to which server: `master <name> <ip> <port>`, `slave … @ <name> …`, or `<name> <old> <new>` */
  private hear(event: string, text: string): void {
    const words = text.split(' ');
    const isOurs = event === SWITCHED ? words[0] === this.primary : words.includes(this.primary);
    if (!isOurs) return;
    if (event === SWITCHED) this.leadTo(text);
    else if (GIVEN_UP.includes(event)) this.listener.givenUp?.();
    else this.listener.begins?.(`${event} ${text}`);
  }

  /** Every sentinel tells about the same switch. */
  private leadTo(text: string): void {
    const isRepeated = this.switched === text && performance.now() - this.switchedAtMs < RUMOUR_MS;
    if (isRepeated) return;
    this.switched = text;
    this.switchedAtMs = performance.now();
    this.log.warn({ text }, 'there is a new primary; connecting to it');
    this.listener.switched?.();
    for (const connection of this.connections) {
      // A connection that is being made must not be disturbed: it would end for ever.
      if (connection.status === 'ready') connection.disconnect(true);
    }
  }

  private leaveOldPrimary(connection: Redis): void {
    if (performance.now() - this.switchedAtMs > RUMOUR_MS) return;
    const [, oldHost, oldPort] = this.switched.split(' ');
    const { remoteAddress, remotePort } = connection.stream as { remoteAddress?: string; remotePort?: number };
    if (remoteAddress === oldHost && String(remotePort) === oldPort) connection.disconnect(true);
  }
}
