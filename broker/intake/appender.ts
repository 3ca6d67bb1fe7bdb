import { StoreError } from '../../core/store/error.ts';
import { MAX_APPEND_MS, type VoteLog } from '../../core/store/store.ts';
import type { RejectionCounts } from '../../core/voting/count/accounting.ts';
import { VoteColumns } from '../../core/voting/count/entries/columns.ts';
import type { RoundVotes, VoteEntry } from '../../core/voting/count/entry.ts';
import { roundKey } from '../../core/voting/count/slice.ts';
import type { Vote } from '../../core/voting/count/vote.ts';
import type { Reason } from '../../core/voting/rules/rejection.ts';
import { within } from '../../core/waiting/deadline.ts';
import { pause } from '../../core/waiting/pause.ts';
import type { Lease } from '../lease/lease.ts';
import type { BrokerMetrics } from '../metrics.ts';

/** Called once the vote is durable, or with an error if it may not have been stored. */
export type Settle = (error?: Error) => void;

/** Maximum number of votes and rejections in one log entry. */
export const MAX_ENTRY_ITEMS = 2_000;
/** If an append takes longer than this (ms), the devices that sent its votes are disconnected without an acknowledgement. */
export const APPEND_LIMIT_MS = 5_000;

/** Interval in ms between checks whether an expired lease has been renewed. */
const LEASE_CHECK_MS = 50;

/** The votes and rejections of a future log entry. */
class Batch {
  /** The lease term in which the votes of this batch were checked. */
  readonly term: number;
  readonly rounds = new Map<string, RoundVotes>();
  readonly refused: RejectionCounts = {};
  readonly settles: Settle[] = [];
  /** Called once this batch has been written or has failed. */
  readonly waiters: (() => void)[] = [];

  constructor(term: number) {
    this.term = term;
  }

  round(poll: string, round: number): RoundVotes {
    const key = roundKey(poll, round);
    let found = this.rounds.get(key);
    if (!found) {
      found = { poll, round, votes: new VoteColumns(), rejected: {} };
      this.rounds.set(key, found);
    }
    return found;
  }
}

export interface AppenderParts {
  readonly log: VoteLog;
  readonly partition: number;
  /** Identifies this run of the broker; generated at each start. */
  readonly producer: string;
  /** This broker’s right to store votes. */
  readonly lease: Lease;
  readonly metrics: BrokerMetrics;
}

/**
 * Appends the votes of one partition with group commit: while one entry is being written, votes that arrive are collected in
 * the next entry. Therefore, the higher the load, the fewer writes per vote.
 */
export class Appender {
  private readonly parts: AppenderParts;
  private sequence = 0;
  private batches: Batch[] = [];
  /** The batch that is being written. */
  private writing: Batch | undefined;

  constructor(parts: AppenderParts) {
    this.parts = parts;
  }

  /** Appends a vote for a round. */
  vote(poll: string, round: number, vote: Vote, settle: Settle): void {
    this.gather(settle).round(poll, round).votes.addVote(vote);
  }

  /** Counts a rejection in the log, without its payload. If `round` is undefined, the rejection belongs to no round. */
  rejection(round: { poll: string; round: number } | undefined, reason: Reason, settle: Settle): void {
    const batch = this.gather(settle);
    const counts = round ? batch.round(round.poll, round.round).rejected : batch.refused;
    counts[reason] = (counts[reason] ?? 0) + 1;
  }

  /** Resolves when everything received so far has been written or has failed. Does not wait for what arrives later. */
  drained(): Promise<void> {
    const newest = this.batches.at(-1) ?? this.writing;
    if (!newest) return Promise.resolve();
    return new Promise((resolve) => newest.waiters.push(resolve));
  }

  private gather(settle: Settle): Batch {
    let batch = this.batches.at(-1);
    if (!batch || batch.settles.length >= MAX_ENTRY_ITEMS) {
      batch = new Batch(this.parts.lease.term);
      this.batches.push(batch);
      // Packets from all connections in this turn of the event loop go into the same entry.
      if (this.batches.length === 1 && !this.writing) setImmediate(() => this.write());
    }
    batch.settles.push(settle);
    return batch;
  }

  private write(): void {
    const batch = this.batches.shift();
    this.writing = batch;
    if (!batch) return;
    this.append(batch).then(
      () => this.settle(batch),
      (error: Error) => this.settle(batch, error),
    );
  }

  private settle(batch: Batch, error?: Error): void {
    this.write();
    for (const settle of batch.settles) settle(error);
    for (const resolve of batch.waiters) resolve();
  }

  private async append({ rounds, refused, settles, term }: Batch): Promise<void> {
    const { log, partition, producer, lease, metrics } = this.parts;
    const startMs = performance.now();
    if (lease.untilMs <= startMs) await this.awaitLease(startMs + MAX_APPEND_MS);
    if (term !== lease.term) throw new StoreError('this broker was cut off from the store; votes must be sent again');
    const untilMs = Math.min(startMs + MAX_APPEND_MS, lease.untilMs);
    const entry: VoteEntry = {
      type: 'votes',
      producer,
      sequence: this.sequence++,
      atMs: Date.now(),
      rounds: [...rounds.values()],
      refused,
    };
    const late = () => new Error(`the vote log did not answer within ${APPEND_LIMIT_MS} ms`);
    await within(APPEND_LIMIT_MS, log.append(partition, entry, untilMs), late);
    metrics.appendSeconds.observe((performance.now() - startMs) / 1000);
    metrics.appendVotes.observe(settles.length);
  }

  /** Fails once there is a lease or `endMs` is reached. If it failed immediately, devices would reconnect immediately. */
  private async awaitLease(endMs: number): Promise<never> {
    const { lease } = this.parts;
    while (lease.untilMs <= performance.now() && performance.now() < endMs) await pause(LEASE_CHECK_MS);
    throw new StoreError('this broker has no lease: it cannot reach the store');
  }
}
