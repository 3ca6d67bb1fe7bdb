import { BROKER_ROLE, type BrokerFacts } from '../../core/live/brokers.ts';
import type { PollBook } from '../../core/live/poll-book.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { Presence } from '../../core/store/store.ts';
import type { Roll } from '../../core/voting/rules/roll.ts';
import { Instant } from '../../core/waiting/instant.ts';
import { pause } from '../../core/waiting/pause.ts';
import { repeat } from '../../core/waiting/repeat.ts';

/** Time in ms for which this broker counts as present after its last announcement. */
const TTL_MS = 4_000;
/** Time in ms for which this broker may store votes after its last announcement. Less than `TTL_MS`, because clocks drift. */
const LEASE_MS = 3_000;
const RENEW_EVERY_MS = 1_000;
const RETRY_MS = { first: 200 } as const;

/** A broker’s right to store votes. */
export interface Lease {
  /** When the lease expires unless it is renewed, on the clock of `performance.now()`. */
  readonly untilMs: number;
  /**
   * Incremented when a lease is granted after the previous one has expired. Rounds may have been closed in between, so votes
   * that were checked in an earlier term must not be stored.
   */
  readonly term: number;
}

class HeldLease implements Lease {
  term = 0;
  private until: Instant | undefined;

  get untilMs(): number {
    return this.until?.atMs ?? Number.NEGATIVE_INFINITY;
  }

  grant(until: Instant): void {
    if (performance.now() > this.untilMs) this.term++;
    this.until = until;
  }

  end(): void {
    this.until = undefined;
  }
}

interface LeaseParts {
  /** The broker’s run id. */
  readonly id: string;
  readonly polls: PollBook;
  readonly presence: Presence;
  readonly door: BrokerFacts['door'];
  /** Learns what this broker may have missed while it had no lease. */
  readonly rejoin: () => Promise<void>;
  readonly log: Log;
}

/**
 * This broker’s presence among the brokers, and its lease, which says until when it may store votes. A round is closed once
 * every broker that is present refuses its votes. Therefore, a broker first announces its presence, then makes sure that it
 * knows every closing round, and may store votes only while both steps are recent. A broker that was paused or cut off cannot
 * store votes after a close that did not wait for it.
 */
export class BrokerLease {
  readonly lease = new HeldLease();
  /** True if this broker publishes announcements for all brokers. Briefly, this may be true for two brokers or for none. */
  isSpokesman = false;
  private readonly parts: LeaseParts;
  private readonly handedIn = new Set<string>();
  private readonly present = new Map<string, Roll>();
  private readonly halt = new AbortController();
  private renewing = Promise.resolve();

  private constructor(parts: LeaseParts) {
    this.parts = parts;
  }

  /** Acquires a lease and keeps renewing it. */
  static async open(parts: LeaseParts): Promise<BrokerLease> {
    const held = new BrokerLease(parts);
    // Votes that were checked while the poll was still known must not be stored, so a new term has to begin.
    const endTerm = () => held.lease.end();
    parts.polls.on('vanished', endTerm);
    held.halt.signal.addEventListener('abort', () => parts.polls.off('vanished', endTerm));
    try {
      await held.renew();
    } catch (error) {
      // Its presence may have been announced already, and closings would wait for it.
      await held.close();
      throw error;
    }
    const { signal } = held.halt;
    const renew = async () => {
      await pause(RENEW_EVERY_MS, signal);
      if (!signal.aborted) await held.renew();
    };
    const failureMessage = 'cannot renew the lease, without which no votes are stored; trying again';
    held.renewing = repeat(renew, { signal, retryMs: RETRY_MS, log: parts.log, failureMessage });
    return held;
  }

  async close(): Promise<void> {
    this.halt.abort();
    await this.renewing;
    this.lease.end();
    const { presence, id, log } = this.parts;
    // If the withdrawal fails, the presence expires.
    await presence
      .withdraw(BROKER_ROLE, id)
      .catch((error) => log.debug({ err: error }, 'could not withdraw this broker’s presence'));
  }

  /** Announces that all votes this broker accepted for a closing round are in the log. */
  async handOver(round: string): Promise<void> {
    this.handedIn.add(round);
    await this.announce();
  }

  /** Announces which voters are connected. Call this once for each `presenceKey`. */
  async announcePresent(key: string, roll: Roll): Promise<void> {
    this.present.set(key, roll);
    await this.announce();
  }

  hasAnnounced(key: string): boolean {
    return this.present.has(key);
  }

  /** Leaves the rounds of a poll out of future announcements. */
  forget(poll: string): void {
    for (const round of this.handedIn) if (round.startsWith(`${poll}/`)) this.handedIn.delete(round);
    for (const key of this.present.keys()) if (key.startsWith(`${poll}/`)) this.present.delete(key);
  }

  private async renew(): Promise<void> {
    const { id, polls, presence, rejoin } = this.parts;
    const until = new Instant(performance.now() + LEASE_MS);
    await this.announce();
    await polls.sync();
    if (performance.now() > this.lease.untilMs) await rejoin();
    this.lease.grant(until);
    const [first] = await presence.list(BROKER_ROLE);
    this.isSpokesman = first?.id === id;
  }

  private announce(): Promise<void> {
    const { id, presence, door } = this.parts;
    const facts: BrokerFacts = { handedIn: [...this.handedIn], present: Object.fromEntries(this.present), door };
    return presence.announce(BROKER_ROLE, id, facts, TTL_MS);
  }
}
