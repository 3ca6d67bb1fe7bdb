import { type FoundEntry, interruptionsBefore } from '../../../voting/count/entry.ts';
import { roundKey } from '../../../voting/count/slice.ts';

/** A round of a poll. */
export interface Round {
  readonly poll: string;
  readonly round: number;
}

/**
 * Finds the rounds whose opening is missing from the log, because entries are removed once they are old. Their votes cannot be
 * counted again.
 */
export class RoundStarts {
  /** By `roundKey`. */
  private readonly rounds = new Map<string, Round>();
  /** The partitions in which a round was opened, by `roundKey`. */
  private readonly opened = new Map<string, Set<number>>();
  private readonly missing = new Set<string>();

  /** Adds an entry. Those of each partition must come in their order. */
  add(partition: number, entry: FoundEntry): void {
    if (entry.type === 'unreadable' || entry.type === 'newer') return;
    if (entry.type === 'open' && interruptionsBefore(entry) === 0) {
      const key = this.know(entry);
      this.opened.set(key, (this.opened.get(key) ?? new Set()).add(partition));
      return;
    }
    for (const { poll, round } of entry.type === 'votes' ? entry.rounds.filter(hasVotes) : [entry]) {
      const key = this.know({ poll, round });
      if (!this.opened.get(key)?.has(partition)) this.missing.add(key);
    }
  }

  /** The rounds that are not opened where they have votes, or nowhere. @param known rounds that were opened at some time */
  lacking(known: readonly Round[]): Round[] {
    for (const round of known) this.know(round);
    const lacking = [...this.rounds].filter(([key]) => this.missing.has(key) || !this.opened.has(key));
    return lacking.map(([, round]) => round).sort((a, b) => compare(a.poll, b.poll) || a.round - b.round);
  }

  private know({ poll, round }: Round): string {
    const key = roundKey(poll, round);
    this.rounds.set(key, { poll, round });
    return key;
  }
}

function hasVotes({ votes }: { readonly votes: { readonly length: number } }): boolean {
  return votes.length > 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
