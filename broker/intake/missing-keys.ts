import type { PollBook } from '../../core/live/poll-book.ts';
import { lacksKey } from '../../core/voting/poll/poll.ts';

/** For how long (ms) a broker without the key of a secret round expects that another process has it, and answers. */
const EXPECTED_MS = 15_000;

/**
 * The secret rounds whose key this broker does not have. Other processes are asked for it all the time; but if none has answered
 * for a while, none has it, and waiting longer would only keep voters from the polls whose keys are there.
 */
export class MissingKeys {
  private readonly polls: PollBook;
  private readonly expectedMs: number;
  /** Since when (`performance.now()`) the key of a poll has been missing. */
  private readonly sinceMs = new Map<string, number>();

  /** @param expectedMs a test may set less */
  constructor(polls: PollBook, expectedMs = EXPECTED_MS) {
    this.polls = polls;
    this.expectedMs = expectedMs;
    for (const { definition } of polls.all()) this.note(definition.poll);
    polls.on('change', this.note);
  }

  close(): void {
    this.polls.off('change', this.note);
  }

  /** A poll whose key is missing, while another process may still have it. */
  get expected(): string | undefined {
    return [...this.sinceMs.keys()].find((poll) => this.isExpected(poll));
  }

  /** Whether another process may still have the missing key of a poll. */
  isExpected(poll: string): boolean {
    const sinceMs = this.sinceMs.get(poll);
    return sinceMs !== undefined && performance.now() < sinceMs + this.expectedMs;
  }

  private readonly note = (id: string): void => {
    const poll = this.polls.get(id);
    if (!poll || !lacksKey(poll)) this.sinceMs.delete(id);
    else if (!this.sinceMs.has(id)) this.sinceMs.set(id, performance.now());
  };
}
