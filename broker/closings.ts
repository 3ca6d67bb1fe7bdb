import { asksPresence, presenceKey } from '../core/live/brokers.ts';
import type { PollBook } from '../core/live/polls.ts';
import type { Log } from '../core/runtime/log.ts';
import type { Definition, Poll } from '../core/voting/poll.ts';
import type { Roll } from '../core/voting/roll.ts';
import { roundKey } from '../core/voting/slice.ts';
import type { Attendance } from './attendance.ts';

/** Handing in is tried again after this, ms. */
const RETRY_MS = 500;

/** Who is connected, of those who may vote in a poll. */
export type CountPresent = (definition: Definition) => Roll;

/**
 * The broker's part in opening and closing a round. It tells who is present, where a poll asks for it. And from the moment its poll book says `closing` it refuses votes; it waits until
 * what it had accepted is on the log, and then says so. Close markers are appended after that.
 */
export class Closings {
  private readonly attendance: Attendance;
  private readonly polls: PollBook;
  private readonly drained: () => Promise<void>;
  private readonly present: CountPresent;
  private readonly log: Log;
  private isStopped = false;

  constructor(attendance: Attendance, polls: PollBook, drained: () => Promise<void>, present: CountPresent, log: Log) {
    this.attendance = attendance;
    this.polls = polls;
    this.drained = drained;
    this.present = present;
    this.log = log;
  }

  start(): void {
    this.polls.on('change', this.onChange);
    for (const { definition } of this.polls.all()) this.onChange(definition.poll);
  }

  stop(): void {
    this.isStopped = true;
    this.polls.off('change', this.onChange);
  }

  private readonly onChange = (id: string): void => {
    const poll = this.polls.get(id);
    if (poll?.status === 'closing') void this.tell(poll, () => this.handIn(poll));
    else if (poll?.status === 'opening') void this.tell(poll, () => this.callRoll(poll, 'open'));
    else this.attendance.forget(id);
  };

  private async handIn(poll: Poll): Promise<void> {
    await this.drained();
    await this.callRoll(poll, 'close');
    await this.attendance.handIn(roundKey(poll.definition.poll, poll.round));
  }

  private async callRoll({ definition, round }: Poll, when: 'open' | 'close'): Promise<void> {
    const key = presenceKey(definition.poll, round, when);
    if (asksPresence(definition, when) && !this.attendance.hasTold(key)) {
      await this.attendance.tellPresent(key, this.present(definition));
    }
  }

  private async tell({ definition }: Poll, tell: () => Promise<void>): Promise<void> {
    try {
      await tell();
    } catch (error) {
      this.log.warn({ err: error, poll: definition.poll }, 'could not tell of an opening or closing; trying again');
      setTimeout(() => !this.isStopped && this.onChange(definition.poll), RETRY_MS).unref();
    }
  }
}
