import { votesIn } from '../../core/voting/count/fold.ts';
import type { Foldable } from './unreadable.ts';

/**
 * Maximum number of entries and votes of a partition that are read and committed together. They limit how long other work in the
 * process has to wait: about 1 µs a vote.
 */
const MAX_ENTRIES = 64;
const MAX_VOTES = 10_000;

/** Finds out how many entries to read: those that are read and then left for the next commit would be decoded twice. */
export class Portion {
  /** How many votes the entries of the last step contained on average; at least 1. */
  private votesPerEntry = 1;

  /** How many entries of a partition to read. */
  get entries(): number {
    return Math.max(1, Math.min(MAX_ENTRIES, Math.floor(MAX_VOTES / this.votesPerEntry)));
  }

  /** Call with the entries of a step. */
  note(entries: readonly Foldable[]): void {
    const votes = entries.reduce((sum, { entry }) => sum + votesIn(entry), 0);
    this.votesPerEntry = Math.max(1, votes / Math.max(1, entries.length));
  }
}

/** The first entries, up to and including the entry that reaches `MAX_VOTES` votes. */
export function firstVotes(entries: readonly Foldable[]): readonly Foldable[] {
  let votes = 0;
  const end = entries.findIndex(({ entry }) => {
    votes += votesIn(entry);
    return votes >= MAX_VOTES;
  });
  return end === -1 ? entries : entries.slice(0, end + 1);
}
