import type { RejectionCounts } from '../../core/voting/count/accounting.ts';
import { VoteColumns } from '../../core/voting/count/entries/columns.ts';
import type { RoundVotes } from '../../core/voting/count/entry.ts';
import type { Pending } from '../connection/acknowledgements.ts';
import type { Receipt } from '../outbound/receipts.ts';
import type { Sender } from './message.ts';

/** How many columns a batch keeps for the next votes. */
const MAX_SPARE = 4;

/** The votes and rejections of a future log entry, and their senders. In columns, so that a vote needs no object of its own. */
export class Batch {
  /** The lease term in which the votes of this batch were checked. */
  term = 0;
  rounds: RoundVotes[] = [];
  refused: RejectionCounts = {};
  /** Called once this batch has been written or has failed. */
  waiters: (() => void)[] = [];
  /** The number of votes and rejections. */
  size = 0;
  private readonly senders: Sender[] = [];
  private readonly pendings: Pending[] = [];
  private readonly receipts: Receipt[] = [];
  private readonly spare: VoteColumns[] = [];
  /** The round of the last vote in each poll: there are few polls with votes in two rounds, but there may be many polls. */
  private readonly newest = new Map<string, RoundVotes>();
  /** The round of the last vote, which is often that of the next. */
  private last: RoundVotes | undefined;

  /** Adds the sender of the next vote or rejection, which hears of its outcome. */
  send(sender: Sender, pending: Pending, receipt: Receipt): void {
    const at = this.size++;
    this.senders[at] = sender;
    this.pendings[at] = pending;
    this.receipts[at] = receipt;
  }

  round(poll: string, round: number): RoundVotes {
    const { last } = this;
    if (last && last.poll === poll && last.round === round) return last;
    let found = this.newest.get(poll);
    if (found && found.round !== round) found = this.rounds.find((one) => one.poll === poll && one.round === round);
    if (!found) {
      found = { poll, round, votes: this.spare.pop() ?? new VoteColumns(), rejected: {} };
      this.rounds.push(found);
    }
    this.newest.set(poll, found);
    this.last = found;
    return found;
  }

  /** Reports the outcome to all senders. */
  settle(error: Error | undefined): void {
    const { size, senders, pendings, receipts, waiters } = this;
    for (let i = 0; i < size; i++) {
      (senders[i] as Sender).settled(pendings[i] as Pending, receipts[i] as Receipt, error);
    }
    for (const resolve of waiters) resolve();
  }

  /** Forgets everything and keeps the memory for the next votes. */
  clear(): void {
    for (const { votes } of this.rounds) {
      if (this.spare.length >= MAX_SPARE) break;
      votes.clear();
      this.spare.push(votes);
    }
    this.rounds = [];
    this.refused = {};
    this.waiters = [];
    this.newest.clear();
    this.last = undefined;
    // So that connections that have closed can be freed.
    this.senders.fill(NOBODY, 0, this.size);
    this.receipts.fill(NO_RECEIPT, 0, this.size);
    this.size = 0;
  }
}

const NOBODY: Sender = { settled: () => {} };
const NO_RECEIPT: Receipt = { poll: '-' };
