import { BROKER_ROLE, type BrokerFacts } from '../core/live/brokers.ts';
import type { PollBook } from '../core/live/polls.ts';
import type { Log } from '../core/runtime/log.ts';
import { pause } from '../core/runtime/pause.ts';
import type { Presence } from '../core/store/store.ts';
import type { Roll } from '../core/voting/roll.ts';

/** How long this broker counts as present after it last said so, and may store votes, ms. */
const TTL_MS = 4_000;
/** How long it may store votes after that, ms: less, as clocks do not run alike. */
const LEASE_MS = 3_000;
const RENEW_EVERY_MS = 1_000;
const RETRY_MS = 200;

/** A broker's right to store votes. */
export interface Lease {
  /** When it ends, if it is not renewed before, in `performance.now()`. */
  readonly untilMs: number;
  /**
   * Rises each time the lease had run out before it was renewed. In between, rounds may have been closed: what was
   * checked in an earlier term must not be stored.
   */
  readonly term: number;
}

/** A lease by two clocks: the one that never goes back stands still while the machine is suspended. */
class HeldLease implements Lease {
  term = 0;
  private monotonicMs = Number.NEGATIVE_INFINITY;
  private dateMs = Number.NEGATIVE_INFINITY;

  get untilMs(): number {
    return Math.min(this.monotonicMs, performance.now() + (this.dateMs - Date.now()));
  }

  grant(untilMs: number, untilDateMs: number): void {
    if (performance.now() > this.untilMs) this.term++;
    this.monotonicMs = untilMs;
    this.dateMs = untilDateMs;
  }

  end(): void {
    this.monotonicMs = Number.NEGATIVE_INFINITY;
  }
}

/**
 * This broker's place among the brokers, and its lease: until when it may store votes. A round is closed once every
 * broker that is present refuses its votes. So a broker first says that it is present, then makes sure that it knows of
 * every closing, and may store votes only as long as both are fresh: one that was paused or cut off stores nothing
 * behind a close that did not wait for it.
 */
export class Attendance {
  readonly id: string;
  /** The brokers' spokesman: announces for all of them. Now and then two think so, or none. */
  isFirst = false;
  readonly lease = new HeldLease();
  private readonly polls: PollBook;
  private readonly presence: Presence;
  private readonly log: Log;
  private readonly door: BrokerFacts['door'];
  private readonly handedIn = new Set<string>();
  private readonly present = new Map<string, Roll>();
  private readonly halt = new AbortController();
  private renewing: Promise<void> | undefined;

  /** @param id the broker's run id */
  constructor(id: string, polls: PollBook, presence: Presence, door: BrokerFacts['door'], log: Log) {
    this.id = id;
    this.polls = polls;
    this.presence = presence;
    this.door = door;
    this.log = log;
  }

  async start(): Promise<void> {
    await this.renew();
    this.renewing = this.renewOnAndOn();
  }

  async stop(): Promise<void> {
    this.halt.abort();
    await this.renewing;
    this.lease.end();
    await this.presence.withdraw(BROKER_ROLE, this.id);
  }

  /** Tells that all this broker had accepted for a closing round is on the log. */
  async handIn(round: string): Promise<void> {
    this.handedIn.add(round);
    await this.announce();
  }

  /** Tells who is connected; once for each `presenceKey`. */
  async tellPresent(key: string, roll: Roll): Promise<void> {
    this.present.set(key, roll);
    await this.announce();
  }

  hasTold(key: string): boolean {
    return this.present.has(key);
  }

  /** A poll's rounds need not be told of any more. */
  forget(poll: string): void {
    for (const round of this.handedIn) if (round.startsWith(`${poll}/`)) this.handedIn.delete(round);
    for (const key of this.present.keys()) if (key.startsWith(`${poll}/`)) this.present.delete(key);
  }

  private async renewOnAndOn(): Promise<void> {
    const { signal } = this.halt;
    let isTold = false;
    while (!signal.aborted) {
      try {
        await pause(RENEW_EVERY_MS, signal);
        if (signal.aborted) return;
        await this.renew();
        isTold = false;
      } catch (error) {
        if (!isTold) this.log.warn({ err: error }, 'cannot renew the lease; without it no vote is stored. Trying on');
        isTold = true;
        await pause(RETRY_MS, signal);
      }
    }
  }

  private async renew(): Promise<void> {
    const [startMs, startDateMs] = [performance.now(), Date.now()];
    await this.announce();
    await this.polls.sync();
    this.lease.grant(startMs + LEASE_MS, startDateMs + LEASE_MS);
    const [first] = await this.presence.list(BROKER_ROLE);
    this.isFirst = first?.id === this.id;
  }

  private announce(): Promise<void> {
    const { door } = this;
    const facts: BrokerFacts = { handedIn: [...this.handedIn], present: Object.fromEntries(this.present), door };
    return this.presence.announce(BROKER_ROLE, this.id, facts, TTL_MS);
  }
}
