import type { PollBook } from '../core/live/polls.ts';
import type { Log } from '../core/runtime/log.ts';
import type { Poll } from '../core/voting/poll.ts';
import { Problem } from './problem.ts';
import type { Rounds } from './rounds.ts';

/** The longest it does not look, ms: clocks may be set. */
const LOOK_EVERY_MS = 1_000;
/** What could not be done is tried again after this, ms. */
const RETRY_MS = 5_000;

/**
 * Opens and closes polls at the time that was set for them. Every dashboard process has one; whichever is first does it,
 * and the others find it done.
 */
export class Clock {
  readonly name = 'clock';
  private readonly polls: PollBook;
  private readonly rounds: Rounds;
  private readonly log: Log;
  private readonly working = new Map<string, Promise<void>>();
  /** When what failed is due again, by poll. */
  private readonly notBefore = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(polls: PollBook, rounds: Rounds, log: Log) {
    this.polls = polls;
    this.rounds = rounds;
    this.log = log.child({ part: 'clock' });
  }

  async start(): Promise<void> {
    this.polls.on('change', this.look);
    this.look();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.polls.off('change', this.look);
    await Promise.all(this.working.values());
  }

  private readonly look = (): void => {
    if (this.isStopped) return;
    clearTimeout(this.timer);
    const nowMs = Date.now();
    let waitMs = LOOK_EVERY_MS;
    for (const poll of this.polls.all()) {
      const { poll: id } = poll.definition;
      const dueAtMs = Math.max(dueAt(poll) ?? Number.POSITIVE_INFINITY, this.notBefore.get(id) ?? 0);
      if (dueAtMs <= nowMs) this.act(poll);
      else waitMs = Math.min(waitMs, dueAtMs - nowMs);
    }
    this.timer = setTimeout(this.look, waitMs);
  };

  private act(poll: Poll): void {
    const { poll: id } = poll.definition;
    if (this.working.has(id)) return;
    const step = poll.status === 'draft' ? this.rounds.open(id, 'draft') : this.rounds.closeDue(poll);
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
    // Another process was faster.
    if (error instanceof Problem && error.code === 'wrong-status') return;
    this.notBefore.set(id, Date.now() + RETRY_MS);
    this.log.warn({ err: error, poll: id }, 'could not open or close a poll at its time; trying again');
  }
}

/** When something is to be done with a poll; undefined: nothing. */
function dueAt({ definition, status, closesAtMs, stoppedAtMs = 0 }: Poll): number | undefined {
  const { opensAt, closesAt, lateGraceMs = 0 } = definition;
  if (status === 'draft') {
    // Nobody was there to open it while it was to be open: now it is for an operator to say.
    const isMissed = closesAt !== undefined && Date.parse(closesAt) <= Date.now();
    return opensAt === undefined || isMissed ? undefined : Date.parse(opensAt);
  }
  if (status === 'open') return closesAtMs;
  return status === 'grace' ? stoppedAtMs + lateGraceMs : undefined;
}
