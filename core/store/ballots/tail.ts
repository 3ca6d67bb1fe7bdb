import type { VoteColumns } from '../../voting/count/entries/columns.ts';
import type { FoundEntry } from '../../voting/count/entry.ts';
import { takeSequence } from '../../voting/count/fold.ts';
import { roundKey } from '../../voting/count/slice.ts';
import { StoreError } from '../error.ts';
import { compareOffsets, type Offset } from '../offset.ts';
import type { Checkpoint } from '../store.ts';

/** A vote behind a checkpoint. */
export interface TailVote {
  readonly offset: Offset;
  readonly atMs: number;
  /** The votes among which it is, and its place. */
  readonly votes: VoteColumns;
  readonly i: number;
}

/** The votes of one round behind a checkpoint, by voter, in the order of the log. */
export type RoundTail = ReadonlyMap<string, readonly TailVote[]>;

/** The votes of a partition’s log between a checkpoint and an offset, by round and voter. Copies of entries are left out. */
export class Tail {
  /** The offset up to which entries have been added. */
  to: Offset;
  /** How many entries have been counted up to there; undefined if that is not known yet. */
  entries: number | undefined;
  /** The offset behind which its entries begin. */
  from: Offset;
  /** How many entries are damaged or gone, so that their votes are not here. */
  missing = 0;
  /** How many of them have been reported. */
  reported = 0;
  /** Once ballots are stored up to there, nothing is missing any more. */
  private missingUntil: Offset;
  private readonly producers: Map<string, number>;
  private readonly rounds = new Map<string, Map<string, TailVote[]>>();

  /** @param entries how many entries have been counted at the checkpoint */
  constructor({ offset, producers }: Checkpoint, entries?: number) {
    this.entries = entries;
    this.from = offset;
    this.to = offset;
    this.missingUntil = offset;
    this.producers = new Map(producers);
  }

  /** Adds the next entry of the log. @throws StoreError if this version cannot read it */
  add(offset: Offset, entry: FoundEntry): void {
    if (entry.type === 'newer') {
      throw new StoreError(
        `a vote log entry has format ${entry.format}, which this version cannot read; update this process`,
      );
    }
    this.to = offset;
    if (this.entries !== undefined) this.entries++;
    if (entry.type === 'unreadable') this.lacks(1);
    if (entry.type !== 'votes' || !takeSequence(this.producers, entry)) return;
    for (const { poll, round, votes } of entry.rounds) {
      const key = roundKey(poll, round);
      let voters = this.rounds.get(key);
      if (!voters) this.rounds.set(key, (voters = new Map()));
      for (let i = 0; i < votes.length; i++) {
        const one = { offset, atMs: entry.atMs, votes, i };
        const known = voters.get(votes.device(i));
        if (known) known.push(one);
        else voters.set(votes.device(i), [one]);
      }
    }
  }

  /** Notes that the log up to here does not have so many entries that were counted. */
  lacks(entries: number): void {
    this.missing += entries;
    this.missingUntil = this.to;
  }

  /** Forgets what a later checkpoint has stored. What `of` has returned stays as it is. */
  forgetUntil(checkpoint: Offset): void {
    if (compareOffsets(checkpoint, this.from) <= 0) return;
    this.from = checkpoint;
    if (compareOffsets(checkpoint, this.missingUntil) >= 0) this.missing = this.reported = 0;
    for (const [key, voters] of this.rounds) {
      const left = new Map<string, TailVote[]>();
      for (const [voter, votes] of voters) {
        const later = votesAfter(votes, checkpoint);
        if (later.length > 0) left.set(voter, later);
      }
      if (left.size > 0) this.rounds.set(key, left);
      else this.rounds.delete(key);
    }
  }

  /**
   * The votes of a round, as of now: what is added later does not appear in them. Only those of `voters` if they are given.
   */
  of(poll: string, round: number, voters?: readonly string[]): RoundTail {
    const all = this.rounds.get(roundKey(poll, round));
    if (!all) return new Map();
    const found = new Map<string, readonly TailVote[]>();
    for (const voter of voters ?? all.keys()) {
      const votes = all.get(voter);
      if (votes) found.set(voter, [...votes]);
    }
    return found;
  }
}

/** The votes of entries behind an offset. */
export function votesAfter(votes: readonly TailVote[], offset: Offset): TailVote[] {
  return votes.filter((vote) => compareOffsets(vote.offset, offset) > 0);
}
