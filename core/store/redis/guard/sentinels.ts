import { Redis } from 'ioredis';
import type { Log } from '../../../runtime/log.ts';
import type { RedisAddress } from '../../redis-address.ts';
import type { RedisConnection } from '../connection/connection.ts';
import type { StoreGuard } from './guard.ts';

/**
 * How long in ms appends wait for the end of a failover. A failover that takes longer is treated as if it had been given up:
 * the primary then answers, or it does not.
 */
const HOLD_MS = 10_000;
/** Pause in ms before a sentinel that cannot be reached is tried again. */
const RETRY_MS = 1_000;

/** The sentinels say this before they promote a replica. What is acknowledged after that may be lost. */
const BEGINS = ['+try-failover', '+failover-state-select-slave', '+selected-slave', '+promoted-slave'];
/** The sentinels say this when there is a new primary, or when they have given up. */
const SWITCHED = '+switch-master';
const GIVEN_UP = ['-failover-abort-no-good-slave', '-failover-abort-slave-timeout', '-failover-abort-not-elected'];

/**
 * Listens to the sentinels. From the moment at which they begin a failover, nothing is appended until the new primary has been
 * found: the old one would still accept votes, for up to 10 s, and lose them when it becomes a replica.
 */
export class SentinelWatch {
  private readonly sentinels: readonly Redis[];
  private readonly primary: string;
  private readonly connections: readonly RedisConnection[];
  private readonly guard: StoreGuard;
  private readonly log: Log;
  private switched = '';

  private constructor(address: RedisAddress, connections: readonly RedisConnection[], guard: StoreGuard, log: Log) {
    const { endpoints, options } = address;
    this.primary = address.primary as string;
    this.connections = connections;
    this.guard = guard;
    this.log = log;
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
          log.warn({ err: error, host, port }, 'cannot listen to a sentinel, so failovers lose more votes'),
        );
      return sentinel;
    });
  }

  /** Undefined unless the address is one of sentinels. */
  static open(
    address: RedisAddress,
    connections: readonly RedisConnection[],
    guard: StoreGuard,
    log: Log,
  ): SentinelWatch | undefined {
    return address.mode === 'sentinel' ? new SentinelWatch(address, connections, guard, log) : undefined;
  }

  close(): void {
    for (const sentinel of this.sentinels) sentinel.disconnect();
  }

  /** @param text what happened to which server: `master <name> <ip> <port>`, `slave … @ <name> …`, or `<name> <old> <new>` */
  private hear(event: string, text: string): void {
    const words = text.split(' ');
    const isOurs = event === SWITCHED ? words[0] === this.primary : words.includes(this.primary);
    if (!isOurs) return;
    if (event === SWITCHED) return this.switchTo(text);
    if (GIVEN_UP.includes(event)) return this.guard.release();
    this.log.warn({ event, text }, 'the sentinels begin a failover; appends wait for the new primary');
    this.guard.hold(HOLD_MS);
  }

  /** Every sentinel tells about the same switch. */
  private switchTo(text: string): void {
    if (this.switched === text) return;
    this.switched = text;
    this.log.warn({ text }, 'there is a new primary; connecting to it');
    this.guard.reconnected();
    for (const connection of this.connections) connection.disconnect(true);
    this.guard.release();
  }
}
