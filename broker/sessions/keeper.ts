import type { Log } from '../../core/runtime/log.ts';
import { repeat } from '../../core/waiting/repeat.ts';
import type { Sessions } from './sessions.ts';

/** Sessions are checked at this fraction of their lifetime, at least every `most` and at most every `least` ms. */
const CHECK = { fraction: 1 / 8, least: 250, most: 600_000 } as const;
/** Interval in ms at which the times of disconnections are stored, together for all devices that disconnected. */
const STORE_LEFT_EVERY_MS = 1_000;
/** Maximum number of expired sessions that are looked up at once. */
const BATCH = 500;
/** Pause in ms after the store could not be reached. */
const RETRY_MS = { first: 1_000, most: 30_000 } as const;

interface SessionKeeperParts {
  readonly sessions: Pick<Sessions, 'persistence' | 'ledger'>;
  /** How long in ms a session is kept after its client disconnected. */
  readonly lifetimeMs: number;
  readonly log: Log;
}

/**
 * Keeps sessions of clients that connect with clean session 0, and deletes those whose clients do not return. Aedes knows a
 * session only by its subscriptions, but a device that only votes has none, and must still be told that its session continues:
 * some clients otherwise discard the votes that have not been acknowledged.
 */
export class SessionKeeper {
  private readonly parts: SessionKeeperParts;
  private readonly halt = new AbortController();
  /** The number of connections of each session in use on this broker. During a takeover, there are two. */
  private readonly inUse = new Map<string, number>();
  private readonly left = new Set<string>();
  private work: Promise<unknown> = Promise.resolve();

  private constructor(parts: SessionKeeperParts) {
    this.parts = parts;
  }

  static open(parts: SessionKeeperParts): SessionKeeper {
    const keeper = new SessionKeeper(parts);
    endWithTheSession(keeper.parts.sessions);
    const { log, lifetimeMs } = parts;
    const everyMs = Math.min(Math.max(lifetimeMs * CHECK.fraction, CHECK.least), CHECK.most);
    const common = { signal: keeper.halt.signal, retryMs: RETRY_MS, log };
    keeper.work = Promise.all([
      repeat(() => keeper.check(), {
        ...common,
        everyMs,
        failureMessage: 'cannot look up expired sessions; trying again',
      }),
      repeat(() => keeper.storeLeft(), {
        ...common,
        everyMs: STORE_LEFT_EVERY_MS,
        failureMessage: 'cannot store when devices disconnected; trying again',
      }),
    ]);
    return keeper;
  }

  async close(): Promise<void> {
    this.halt.abort();
    await this.work;
    await this.storeLeft().catch((error) => this.parts.log.debug({ err: error }, 'could not store who disconnected'));
  }

  /**
   * Continues or creates the session of a client that was admitted with clean session 0. Resolves with true if the session
   * existed (Session Present [MQTT-3.2.2-2]). Call `leave` once the client has disconnected.
   */
  async enter(client: string): Promise<boolean> {
    const { sessions, lifetimeMs } = this.parts;
    const nowMs = Date.now();
    this.inUse.set(client, (this.inUse.get(client) ?? 0) + 1);
    const lastMs = await sessions.ledger.lastUsed(client);
    const isPresent = lastMs !== undefined && (lastMs >= nowMs - lifetimeMs || (this.inUse.get(client) ?? 0) > 1);
    if (isPresent) {
      await sessions.ledger.touch([client], nowMs);
    } else {
      await this.delete(client);
      await sessions.ledger.create(client, nowMs);
    }
    return isPresent;
  }

  leave(client: string): void {
    const others = (this.inUse.get(client) ?? 1) - 1;
    if (others > 0) this.inUse.set(client, others);
    else this.inUse.delete(client);
    this.left.add(client);
  }

  /** Keeps the sessions in use, then deletes those that have expired. */
  private async check(): Promise<void> {
    const { sessions, lifetimeMs, log } = this.parts;
    await sessions.ledger.touch([...this.inUse.keys()], Date.now());
    for (;;) {
      const expired = await sessions.ledger.unused(Date.now() - lifetimeMs, BATCH);
      for (const client of expired) {
        // It may have returned since.
        if (!this.inUse.has(client)) await this.delete(client);
      }
      if (expired.length > 0) log.info({ sessions: expired.length }, 'deleted sessions of devices that did not return');
      if (expired.length < BATCH || this.halt.signal.aborted) return;
    }
  }

  private async delete(client: string): Promise<void> {
    await this.parts.sessions.persistence.cleanSubscriptions({ id: client });
  }

  private async storeLeft(): Promise<void> {
    const clients = [...this.left];
    if (clients.length === 0) return;
    await this.parts.sessions.ledger.touch(clients, Date.now());
    for (const client of clients) this.left.delete(client);
  }
}

/** Makes the ledger forget what ends in Aedes’s persistence: sessions, and deliveries of topics. */
function endWithTheSession({ persistence, ledger }: SessionKeeperParts['sessions']): void {
  const clean = persistence.cleanSubscriptions.bind(persistence);
  persistence.cleanSubscriptions = async (client) => {
    await clean(client);
    await ledger.delete(client.id);
  };
  const remove = persistence.removeSubscriptions.bind(persistence);
  persistence.removeSubscriptions = async (client, topics) => {
    await remove(client, topics);
    await ledger.forgetDeliveries(client.id, topics);
  };
}
