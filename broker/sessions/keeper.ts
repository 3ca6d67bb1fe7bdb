import type { Log } from '../../core/runtime/log.ts';
import type { SessionTerms } from '../../core/store/sessions.ts';
import { repeat } from '../../core/waiting/repeat.ts';
import { turn } from '../../core/waiting/turn.ts';
import type { SessionUse } from '../connection/connection.ts';
import type { Sessions, StoredFilter } from './sessions.ts';

/** Sessions are checked at this fraction of their lifetime, at least every `most` and at most every `least` ms. */
const CHECK = { fraction: 1 / 8, least: 250, most: 600_000 } as const;
/** Interval in ms at which the times of disconnections are stored, together for all devices that disconnected. */
const STORE_LEFT_EVERY_MS = 1_000;
/** Maximum number of sessions that are looked up or changed in one turn of the event loop. */
const BATCH = 500;
/** A session in use is stored as ending after so many further checks, plus the time for which its client wants it kept. */
const GRACE_CHECKS = 2;
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
 * session only by its subscriptions, but a device that only votes has none, and must still hear that its session continues:
 * some clients otherwise discard the votes that have not been acknowledged.
 */
export class SessionKeeper {
  private readonly parts: SessionKeeperParts;
  private readonly halt = new AbortController();
  /** The connections of each session in use on this broker. During a takeover, there are two. */
  private readonly inUse = new Map<string, SessionUse[]>();
  /** Sessions whose clients have disconnected, and what has to be stored about them. */
  private readonly left = new Map<string, SessionTerms | undefined>();
  private readonly everyMs: number;
  /** Deletes the subscriptions of a session. */
  private readonly unsubscribe: (client: { readonly id: string }) => Promise<void>;
  private work: Promise<unknown> = Promise.resolve();

  private constructor(parts: SessionKeeperParts) {
    this.parts = parts;
    this.unsubscribe = endWithTheSession(parts.sessions);
    this.everyMs = Math.min(Math.max(parts.lifetimeMs * CHECK.fraction, CHECK.least), CHECK.most);
  }

  static open(parts: SessionKeeperParts): SessionKeeper {
    const keeper = new SessionKeeper(parts);
    const { log } = parts;
    const common = { signal: keeper.halt.signal, retryMs: RETRY_MS, log };
    keeper.work = Promise.all([
      repeat(() => keeper.check(), {
        ...common,
        everyMs: keeper.everyMs,
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
   * Continues or creates the session of a client that was admitted. Resolves with true if the session existed (Session Present
   * [MQTT-3.2.2-2]). Call `leave` once the client has disconnected.
   */
  async enter(client: string, use: SessionUse): Promise<boolean> {
    const { ledger } = this.parts.sessions;
    const nowMs = Date.now();
    this.inUse.set(client, [...(this.inUse.get(client) ?? []), use]);
    const [lastMs, stored] = await Promise.all([ledger.lastUsed(client), ledger.terms(client)]);
    const terms = newest(this.left.get(client), stored);
    const isPresent = !use.isFresh && this.exists(client, lastMs, terms, nowMs);
    if (isPresent) {
      await ledger.touch([client], nowMs);
    } else {
      await this.delete(client);
      await ledger.create(client, nowMs);
    }
    // The terms of an earlier connection must not end the session of one that has none.
    if (use.expiryMs !== undefined || (isPresent && terms)) await ledger.setTerms(client, this.termsInUse(use));
    return isPresent;
  }

  /** Ends the session of a client that was admitted without one, if there is one. */
  async discard(client: string): Promise<void> {
    // Looking is cheap, and most clients have none.
    if ((await this.parts.sessions.ledger.lastUsed(client)) !== undefined) await this.delete(client);
  }

  /** The subscriptions of a session. */
  filters(client: string): Promise<StoredFilter[]> {
    return this.parts.sessions.persistence.subscriptionsByClient({ id: client });
  }

  /** @param use as it was passed to `enter` @param expiryMs how long the session is kept, if that has changed */
  leave(client: string, use: SessionUse, expiryMs = use.expiryMs): void {
    const others = (this.inUse.get(client) ?? []).filter((one) => one !== use);
    if (others.length > 0) this.inUse.set(client, others);
    else this.inUse.delete(client);
    this.left.set(client, expiryMs === undefined ? undefined : this.termsOf(use.connection, expiryMs));
    // The client may return at once, to another broker.
    if (expiryMs !== use.expiryMs) void this.storeLeft().catch(() => {});
  }

  private exists(client: string, lastMs: number | undefined, terms: SessionTerms | undefined, nowMs: number): boolean {
    if (lastMs === undefined || terms?.expiryMs === 0) return false;
    if ((this.inUse.get(client)?.length ?? 0) > 1) return true;
    const endsAtMs = terms?.endsAtMs ?? Number.POSITIVE_INFINITY;
    return lastMs >= nowMs - this.parts.lifetimeMs && endsAtMs > nowMs;
  }

  /** The terms of a session in use: should this broker crash, it is kept a little longer than its client asked for. */
  private termsInUse({ connection, expiryMs }: SessionUse): SessionTerms {
    return this.termsOf(connection, expiryMs, this.everyMs * GRACE_CHECKS);
  }

  private termsOf(connection: number, expiryMs = Number.POSITIVE_INFINITY, graceMs = 0): SessionTerms {
    if (expiryMs >= this.parts.lifetimeMs) return { connection, expiryMs: null, endsAtMs: null };
    return { connection, expiryMs, endsAtMs: Date.now() + expiryMs + graceMs };
  }

  /** Keeps the sessions in use, then deletes those that have expired. */
  private async check(): Promise<void> {
    const { sessions, lifetimeMs } = this.parts;
    const { ledger } = sessions;
    const used = [...this.inUse.keys()];
    for (let at = 0; at < used.length; at += BATCH) {
      await ledger.touch(used.slice(at, at + BATCH), Date.now());
      await turn();
    }
    const limited = [...this.inUse].flatMap(([client, uses]) =>
      uses.filter(({ expiryMs = lifetimeMs }) => expiryMs < lifetimeMs).map((use) => [client, use] as const),
    );
    for (let at = 0; at < limited.length; at += BATCH) {
      const batch = limited.slice(at, at + BATCH);
      // A connection may have ended since, and its terms with it.
      const current = batch.filter(([client, use]) => this.inUse.get(client)?.includes(use));
      await Promise.all(current.map(([client, use]) => ledger.changeTerms(client, this.termsInUse(use))));
    }
    const ended = await ledger.ended(Date.now());
    let deleted = 0;
    for (const client of ended) {
      // It may have returned since, perhaps to another broker.
      const endsAtMs = (await ledger.terms(client))?.endsAtMs ?? null;
      if (endsAtMs === null || endsAtMs >= Date.now() || this.inUse.has(client)) continue;
      await this.delete(client);
      deleted++;
    }
    for (;;) {
      const expired = await ledger.unused(Date.now() - lifetimeMs, BATCH);
      for (const client of expired) {
        // It may have returned since.
        if (!this.inUse.has(client)) await this.delete(client);
      }
      deleted += expired.length;
      if (expired.length < BATCH || this.halt.signal.aborted) break;
    }
    if (deleted > 0) this.parts.log.info({ sessions: deleted }, 'deleted sessions of devices that did not return');
  }

  private async delete(client: string): Promise<void> {
    await this.unsubscribe({ id: client });
    await this.parts.sessions.ledger.delete(client);
  }

  private async storeLeft(): Promise<void> {
    const { ledger } = this.parts.sessions;
    const left = [...this.left];
    for (let at = 0; at < left.length; at += BATCH) {
      if (at > 0) await turn();
      const batch = left.slice(at, at + BATCH);
      await ledger.touch(
        batch.map(([client]) => client),
        Date.now(),
      );
      await Promise.all(batch.map(([client, terms]) => terms && ledger.changeTerms(client, terms)));
      for (const [client, terms] of batch) if (this.left.get(client) === terms) this.left.delete(client);
    }
  }
}

/**
 * Makes the ledger forget the deliveries of topics that end in Aedes’s persistence. Sessions are ended here and not by Aedes, which
 * would look for one whenever it takes a client in. Returns what ends the subscriptions of one.
 */
function endWithTheSession({ persistence, ledger }: SessionKeeperParts['sessions']) {
  const clean = persistence.cleanSubscriptions.bind(persistence);
  persistence.cleanSubscriptions = async () => {};
  const remove = persistence.removeSubscriptions.bind(persistence);
  persistence.removeSubscriptions = async (client, topics) => {
    await remove(client, topics);
    await ledger.forgetDeliveries(client.id, topics);
  };
  return clean;
}

/** Of what a broker and the store know, what the later connection set. */
function newest(own: SessionTerms | undefined, stored: SessionTerms | undefined): SessionTerms | undefined {
  return own && stored && stored.connection > own.connection ? stored : (own ?? stored);
}
