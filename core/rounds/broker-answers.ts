import { BROKER_ROLE, type BrokerFacts, needsPresence, presenceKey } from '../live/brokers.ts';
import type { PollBook } from '../live/poll-book.ts';
import { Refusal } from '../runtime/refusal.ts';
import type { Presence } from '../store/store.ts';
import { type Poll, stretchKey } from '../voting/poll/poll.ts';
import { type Roll, sumRolls } from '../voting/rules/roll.ts';
import { pause } from '../waiting/pause.ts';

/** How long in ms an opening or closing waits for the brokers: longer than it takes for a dead broker’s presence to expire. */
const ANSWER_LIMIT_MS = 15_000;
const CHECK_EVERY_MS = 10;

/**
 * Collects the answers that brokers must give before a round may open or close. A broker that died or lost its connection to
 * the store is waited for only until its presence expires. By then, its lease has expired too, so it cannot store votes.
 */
export class BrokerAnswers {
  private readonly presence: Presence;
  private readonly polls: PollBook;
  private readonly signal: AbortSignal;

  /** @param signal aborted when this process stops, which ends all waiting */
  constructor(presence: Presence, polls: PollBook, signal: AbortSignal) {
    this.presence = presence;
    this.polls = polls;
    this.signal = signal;
  }

  /** True if any broker admits devices without identifying them. */
  async hasOpenDoor(): Promise<boolean> {
    const brokers = await this.presence.list(BROKER_ROLE);
    return brokers.some(({ facts }) => (facts as BrokerFacts).door === 'open');
  }

  /**
   * Waits until every broker has stored all votes it accepted for a closing round. False if another process finished the
   * closing. @throws Refusal still-closing
   */
  async handedOver(poll: Poll): Promise<boolean> {
    const key = stretchKey(poll);
    return (await this.collect(poll, 'closing', ({ handedIn }) => handedIn.includes(key))) !== undefined;
  }

  /**
   * Collects from every broker which voters are connected to it. `present` is undefined if the poll does not need to know. The
   * result is undefined if another process finished the opening or closing. @throws Refusal still-opening, still-closing
   */
  async rollCall(poll: Poll, when: 'open' | 'close'): Promise<{ present: Roll | undefined } | undefined> {
    if (!needsPresence(poll.definition, when)) return { present: undefined };
    const key = presenceKey(poll, when);
    const status = when === 'open' ? 'opening' : 'closing';
    const brokers = await this.collect(poll, status, ({ present }) => present[key] !== undefined);
    return brokers && { present: sumRolls(brokers.map(({ present }) => present[key] as Roll)) };
  }

  private async collect(
    poll: Poll,
    status: 'opening' | 'closing',
    isAnswer: (facts: BrokerFacts) => boolean,
  ): Promise<BrokerFacts[] | undefined> {
    const { poll: id } = poll.definition;
    const endMs = performance.now() + ANSWER_LIMIT_MS;
    for (;;) {
      const now = this.polls.get(id);
      if (now?.status !== status || stretchKey(now) !== stretchKey(poll)) return undefined;
      const brokers = await this.presence.list(BROKER_ROLE);
      const facts = brokers.map((broker) => broker.facts as BrokerFacts);
      const missing = brokers.filter((_, i) => !isAnswer(facts[i] as BrokerFacts));
      if (missing.length === 0) return facts;
      if (performance.now() > endMs || this.signal.aborted) {
        const names = missing.map((broker) => broker.id).join(', ');
        const why = `poll ${id} is ${status} and still waiting for these brokers: ${names}; this continues automatically, so check again in a moment`;
        throw new Refusal(`still-${status}`, why);
      }
      await pause(CHECK_EVERY_MS);
    }
  }
}
