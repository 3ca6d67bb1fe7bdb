import type { PollBook } from '../live/poll-book.ts';
import type { Log } from '../runtime/log.ts';
import type { Poll } from '../voting/poll/poll.ts';
import type { Rounds } from './rounds.ts';

/** The maximum time in ms between two checks. It is short, because the system clock may be adjusted in between. */
const CHECK_EVERY_MS = 1_000;
/** Pause in ms before a failed step is tried again. */
const RETRY_MS = 5_000;

/**
 * Opens and closes polls at their scheduled times. Every dashboard process has a clock. The first clock to act opens or closes
 * the poll, and the others then have nothing left to do.
 */
export class Clock {
  private readonly polls: PollBook;
  private readonly rounds: Rounds;
  private readonly log: Log;
  private readonly working = new Map<string, Promise<void>>();
  /** When a failed step may be tried again, by poll. */
  private readonly notBefore = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  private constructor(polls: PollBook, rounds: Rounds, log: Log) {
    this.polls = polls;
    this.rounds = rounds;
    this.log = log.child({ part: 'clock' });
  }

  static async open(polls: PollBook, rounds: Rounds, log: Log): Promise<Clock> {
    const clock = new Clock(polls, rounds, log);
    polls.on('change', clock.check);
    clock.check();
    return clock;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.polls.off('change', this.check);
    await Promise.all(this.working.values());
  }

  private readonly check = (): void => {
    if (this.isClosed) return;
    clearTimeout(this.timer);
    const nowMs = Date.now();
    let waitMs = CHECK_EVERY_MS;
    for (const poll of this.polls.all()) {
      const { poll: id } = poll.definition;
      const dueAtMs = Math.max(dueAt(poll) ?? Number.POSITIVE_INFINITY, this.notBefore.get(id) ?? 0);
      if (dueAtMs <= nowMs) this.act(poll);
      else waitMs = Math.min(waitMs, dueAtMs - nowMs);
    }
    this.timer = setTimeout(this.check, waitMs);
  };

  private act(poll: Poll): void {
    const { poll: id } = poll.definition;
    if (this.working.has(id)) return;
    const step = poll.status === 'draft' ? this.rounds.openDue(poll) : this.rounds.closeDue(poll);
    const done = step.then(
      () => void this.notBefore.delete(id),
      (error) => this.postpone(id, error),
    );
    this.working.set(
      id,
      done.finally(() => this.working.delete(id)),
    );
  }

  private postpone(id: string, error: unknown): void {
    this.notBefore.set(id, Date.now() + RETRY_MS);
    this.log.warn({ err: error, poll: id }, 'could not open or close a poll at its scheduled time; trying again');
  }
}

/** When a poll is due to be opened or closed; undefined if it is not scheduled. */
function dueAt({ definition, status, closesAtMs, stoppedAtMs = 0 }: Poll): number | undefined {
  const { opensAt, closesAt, lateGraceMs = 0 } = definition;
  if (status === 'draft') {
    // A draft whose closing time has passed is not opened automatically any more; an operator can still open it.
    const isMissed = closesAt !== undefined && Date.parse(closesAt) <= Date.now();
    return opensAt === undefined || isMissed ? undefined : Date.parse(opensAt);
  }
  if (status === 'open') return closesAtMs;
  return status === 'grace' ? stoppedAtMs + lateGraceMs : undefined;
}
