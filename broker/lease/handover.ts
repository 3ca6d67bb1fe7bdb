import { needsPresence, presenceKey } from '../../core/live/brokers.ts';
import type { PollBook } from '../../core/live/poll-book.ts';
import type { Log } from '../../core/runtime/log.ts';
import { isContinuing, type Poll, stretchKey } from '../../core/voting/poll/poll.ts';
import type { Roll } from '../../core/voting/rules/roll.ts';
import type { Common } from '../../core/voting/rules/settings.ts';
import type { BrokerLease } from './lease.ts';

/** Delay in ms before a failed step is retried. */
const RETRY_MS = 500;

interface HandoverParts {
  readonly lease: BrokerLease;
  readonly polls: PollBook;
  /** Resolves when every vote accepted so far is in the log. */
  readonly drained: () => Promise<void>;
  /** The connected voters who may vote in a poll. */
  readonly present: (definition: Common) => Roll;
  readonly log: Log;
}

/**
 * The broker’s part in opening and closing a round. If the poll has rules that depend on presence, the broker announces which
 * voters are connected. While a poll is `closing`, the broker refuses its votes, waits until every vote it accepted is in the
 * log, and then announces that it is done with the round. Close markers are appended only after every broker has done so.
 */
export class Handover {
  private readonly parts: HandoverParts;
  private isClosed = false;

  private constructor(parts: HandoverParts) {
    this.parts = parts;
  }

  static open(parts: HandoverParts): Handover {
    const handover = new Handover(parts);
    parts.polls.on('change', handover.onChange);
    for (const { definition } of parts.polls.all()) handover.onChange(definition.poll);
    return handover;
  }

  close(): void {
    this.isClosed = true;
    this.parts.polls.off('change', this.onChange);
  }

  private readonly onChange = (id: string): void => {
    const poll = this.parts.polls.get(id);
    if (poll?.status === 'closing') void this.attempt(poll, () => this.handOver(poll));
    else if (poll?.status === 'opening' && !isContinuing(poll))
      void this.attempt(poll, () => this.callRoll(poll, 'open'));
    else this.parts.lease.forget(id);
  };

  private async handOver(poll: Poll): Promise<void> {
    await this.parts.drained();
    await this.callRoll(poll, 'close');
    await this.parts.lease.handOver(stretchKey(poll));
  }

  private async callRoll(poll: Poll, when: 'open' | 'close'): Promise<void> {
    const { lease, present } = this.parts;
    const { definition } = poll;
    const key = presenceKey(poll, when);
    if (needsPresence(definition, when) && !lease.hasAnnounced(key)) {
      await lease.announcePresent(key, present(definition));
    }
  }

  private async attempt({ definition }: Poll, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      const message = 'could not announce presence or hand over a round; trying again';
      this.parts.log.warn({ err: error, poll: definition.poll }, message);
      setTimeout(() => !this.isClosed && this.onChange(definition.poll), RETRY_MS).unref();
    }
  }
}
