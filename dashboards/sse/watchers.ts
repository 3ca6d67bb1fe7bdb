import type { PollBook } from '../../core/live/poll-book.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import type { Viewer } from './viewer.ts';

/** A viewer of a poll to which not everybody’s rights extend. */
interface Watcher {
  readonly viewer: Viewer;
  readonly isStillAllowed: (poll: Poll) => boolean;
}

/** The viewers whose rights depend on the room of a poll. */
export class Watchers {
  private readonly polls: PollBook;
  private readonly watchers = new Map<string, Set<Watcher>>();

  constructor(polls: PollBook) {
    this.polls = polls;
  }

  /** Ends a viewer’s stream once the poll is in a room to which its rights do not extend. @returns stops that */
  guard(poll: string, watcher: Watcher): () => void {
    const watchers = this.watchers.get(poll) ?? new Set();
    this.watchers.set(poll, watchers.add(watcher));
    this.check(poll, watcher);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.watchers.get(poll) === watchers) this.watchers.delete(poll);
    };
  }

  /** Call this when a poll has changed. */
  look(poll: string): void {
    for (const watcher of this.watchers.get(poll) ?? []) this.check(poll, watcher);
  }

  private check(id: string, { viewer, isStillAllowed }: Watcher): void {
    const poll = this.polls.get(id);
    // Nothing is shown of a poll that was deleted.
    if (poll && !isStillAllowed(poll)) viewer.end();
  }
}
