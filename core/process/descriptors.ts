import { readFileSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { Counter, type Registry } from 'prom-client';
import type { Log } from '../runtime/log.ts';

/** Descriptors that connections never get: files, the store, time series, and what the runtime needs for itself. */
const RESERVED = 64;
/** Of the rest, descriptors that devices and streams never get, so that `/health` and short requests are answered. */
const FOR_REQUESTS = 32;
/** The lowest limit with which a process starts. */
const LEAST = 2 * (RESERVED + FOR_REQUESTS);
/** The minimum time in ms between two warnings. */
const WARN_EVERY_MS = 60_000;

interface DescriptorParts {
  /** The maximum number of open files; undefined if it is not known. */
  readonly limit: number | undefined;
  /** How many connections the settings allow. */
  readonly wanted: number;
  readonly metrics: Registry;
  readonly log: Log;
}

/**
 * Keeps descriptors free for what must go on when there are too many connections: monitoring and the store. Without a reserve,
 * not even a refusal could be sent, and the process would look dead.
 */
export class Descriptors {
  private readonly limit: number;
  private readonly log: Log;
  private readonly refusals: Counter<'port'>;
  private readonly open = new Set<Socket>();
  private warnedAtMs = Number.NEGATIVE_INFINITY;

  /** Compares the limit with the settings. @throws Error if it is too low to work at all */
  constructor({ limit = Number.POSITIVE_INFINITY, wanted, metrics, log }: DescriptorParts) {
    this.limit = limit;
    this.log = log.child({ part: 'descriptors' });
    this.refusals = new Counter({
      name: 'pollcast_descriptors_refused_total',
      help: 'Connections and streams refused because the limit of open files is nearly reached',
      labelNames: ['port'] as const,
      registers: [metrics],
    });
    for (const port of ['mqtt', 'http']) this.refusals.inc({ port }, 0);
    if (limit < LEAST) {
      throw new Error(`the limit of open files is ${limit}, but at least ${LEAST} are needed; raise it (ulimit -n)`);
    }
    const needed = wanted + RESERVED + FOR_REQUESTS;
    if (limit >= needed) return;
    const advice = 'raise it (ulimit -n, LimitNOFILE), or lower POLLCAST_MAX_CONNECTIONS or POLLCAST_MAX_VIEWERS';
    this.log.warn(
      { limit, needed, room: this.room },
      `the limit of open files is lower than the settings need; ${advice}`,
    );
  }

  /** Counts the connections of a server. Call this before others listen for them. */
  follow(server: Server): void {
    const { open } = this;
    // One function for all connections, because there are many.
    function onClose(this: Socket): void {
      open.delete(this);
    }
    server.prependListener('connection', (socket) => {
      open.add(socket);
      socket.on('close', onClose);
    });
  }

  /** Call when a connection is destroyed, because its descriptor is free at once, long before its end is reported. */
  forget(socket: Socket): void {
    this.open.delete(socket);
  }

  /** How many connections there may be before new ones become scarce. */
  get room(): number {
    return this.limit - RESERVED - FOR_REQUESTS;
  }

  /** True if the newest device or stream, whose connection is already counted, must be refused. */
  get areScarce(): boolean {
    return this.open.size > this.room;
  }

  /** True if the newest connection must be refused, whatever it wants. */
  get areSpent(): boolean {
    return this.open.size > this.limit - RESERVED;
  }

  /** Counts a refusal, and warns of it once a minute. */
  refused(port: 'mqtt' | 'http'): void {
    this.refusals.inc({ port });
    if (performance.now() - this.warnedAtMs < WARN_EVERY_MS) return;
    this.warnedAtMs = performance.now();
    const message = 'refusing connections, because the limit of open files is nearly reached; raise it (ulimit -n)';
    this.log.error({ port, limit: this.limit, open: this.open.size }, message);
  }
}

/** The maximum number of open files of this process; undefined where the system does not say, or sets none. */
export function descriptorLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
