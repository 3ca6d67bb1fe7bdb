import { BROKER_ROLE, type BrokerFacts } from '../core/live/brokers.ts';
import type { PollBook } from '../core/live/polls.ts';
import type { Log } from '../core/runtime/log.ts';
import type { Presence } from '../core/store/store.ts';
import { roundKey } from '../core/voting/slice.ts';

/** How long a broker that fell silent is still waited for, ms. */
const PRESENCE_TTL_MS = 6_000;
const RENEW_EVERY_MS = 2_000;

/**
 * The broker's part in closing a round: from the moment its poll book says `closing` it refuses votes; it waits until
 * what it had accepted is on the log, and then says so. Close markers are appended after that.
 */
export class Closings {
  private readonly id: string;
  private readonly polls: PollBook;
  private readonly presence: Presence;
  private readonly drained: () => Promise<void>;
  private readonly log: Log;
  private readonly handedIn = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(id: string, polls: PollBook, presence: Presence, drained: () => Promise<void>, log: Log) {
    this.id = id;
    this.polls = polls;
    this.presence = presence;
    this.drained = drained;
    this.log = log;
  }

  async start(): Promise<void> {
    this.polls.on('change', this.onChange);
    this.timer = setInterval(() => this.attempt(this.announce()), RENEW_EVERY_MS);
    await this.announce();
    for (const { definition } of this.polls.all()) this.onChange(definition.poll);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.polls.off('change', this.onChange);
    await this.presence.withdraw(BROKER_ROLE, this.id);
  }

  private readonly onChange = (id: string): void => {
    const poll = this.polls.get(id);
    if (poll?.status === 'closing') this.attempt(this.handIn(roundKey(id, poll.round)));
    else this.forget(id);
  };

  private async handIn(round: string): Promise<void> {
    await this.drained();
    this.handedIn.add(round);
    await this.announce();
  }

  private forget(poll: string): void {
    for (const round of this.handedIn) if (round.startsWith(`${poll}/`)) this.handedIn.delete(round);
  }

  private announce(): Promise<void> {
    const facts: BrokerFacts = { handedIn: [...this.handedIn] };
    return this.presence.announce(BROKER_ROLE, this.id, facts, PRESENCE_TTL_MS);
  }

  private attempt(work: Promise<void>): void {
    work.catch((error) => this.log.warn({ err: error }, 'could not announce this broker; trying again'));
  }
}
