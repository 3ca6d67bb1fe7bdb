import type { PollBook } from '../core/live/polls.ts';
import type { Log } from '../core/runtime/log.ts';
import { roundKey } from '../core/voting/slice.ts';
import type { Attendance } from './attendance.ts';

/** Handing in is tried again after this, ms. */
const RETRY_MS = 500;

/**
 * The broker's part in closing a round: from the moment its poll book says `closing` it refuses votes; it waits until
 * what it had accepted is on the log, and then says so. Close markers are appended after that.
 */
export class Closings {
  private readonly attendance: Attendance;
  private readonly polls: PollBook;
  private readonly drained: () => Promise<void>;
  private readonly log: Log;
  private isStopped = false;

  constructor(attendance: Attendance, polls: PollBook, drained: () => Promise<void>, log: Log) {
    this.attendance = attendance;
    this.polls = polls;
    this.drained = drained;
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
    if (poll?.status === 'closing') void this.handIn(id, poll.round);
    else this.forget(id);
  };

  private async handIn(id: string, round: number): Promise<void> {
    await this.drained();
    try {
      await this.attendance.handIn(roundKey(id, round));
    } catch (error) {
      this.log.warn({ err: error, poll: id }, 'could not hand in a closing round; trying again');
      setTimeout(() => !this.isStopped && this.onChange(id), RETRY_MS).unref();
    }
  }

  private forget(poll: string): void {
    for (const round of this.attendance.rounds) if (round.startsWith(`${poll}/`)) this.attendance.forget(round);
  }
}
