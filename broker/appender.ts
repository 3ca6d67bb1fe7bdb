import { pause } from '../core/runtime/pause.ts';
import { StoreError } from '../core/store/error.ts';
import { MAX_APPEND_MS, type VoteLog } from '../core/store/store.ts';
import type { RejectionCounts } from '../core/voting/accounting.ts';
import type { RoundVotes, VoteEntry } from '../core/voting/entry.ts';
import type { Reason } from '../core/voting/rejection.ts';
import { roundKey } from '../core/voting/slice.ts';
import type { Vote } from '../core/voting/vote.ts';
import type { Lease } from './attendance.ts';
import type { BrokerMetrics } from './metrics.ts';

/** Told once the vote is durable, or with the error that says it may not be. */
export type Settle = (error?: Error) => void;

/** Votes and rejections in one log entry, at most. */
export const MAX_ENTRY_ITEMS = 2_000;
/** How long an append may take before the devices are let go without an acknowledgement, ms. */
export const APPEND_LIMIT_MS = 5_000;

/** How often a lost lease is looked for, ms. */
const LEASE_LOOK_MS = 50;

/** What will be the next entry. */
class Batch {
  /** The lease's term in which its votes were checked. */
  readonly term: number;
  readonly rounds = new Map<string, RoundVotes & { votes: Vote[]; rejected: RejectionCounts }>();
  readonly refused: RejectionCounts = {};
  readonly settles: Settle[] = [];
  /** Told after everything in this batch is settled. */
  readonly waiters: (() => void)[] = [];

  constructor(term: number) {
    this.term = term;
  }

  round(poll: string, round: number) {
    const key = roundKey(poll, round);
    let found = this.rounds.get(key);
    if (!found) {
      found = { poll, round, votes: [], rejected: {} };
      this.rounds.set(key, found);
    }
    return found;
  }
}

/**
 * Appends the votes of one partition, group-committed: while one entry is on its way to the disk, whatever arrives
 * gathers in the next. So the busier it is, the fewer writes a vote costs.
 */
export class Appender {
  private readonly log: VoteLog;
  private readonly partition: number;
  private readonly producer: string;
  private readonly lease: Lease;
  private readonly metrics: BrokerMetrics;
  private sequence = 0;
  private batches: Batch[] = [];
  /** The batch on its way to the disk. */
  private writing: Batch | undefined;

  /**
   * @param producer the broker's run id, new at each start
   * @param lease this broker's right to store votes
   */
  constructor(log: VoteLog, partition: number, producer: string, lease: Lease, metrics: BrokerMetrics) {
    this.log = log;
    this.partition = partition;
    this.producer = producer;
    this.lease = lease;
    this.metrics = metrics;
  }

  /** Appends a vote of a round. */
  vote(poll: string, round: number, vote: Vote, settle: Settle): void {
    this.gather(settle).round(poll, round).votes.push(vote);
  }

  /** Appends that a payload was refused: a count, never the payload. Without a round, nobody's. */
  rejection(round: { poll: string; round: number } | undefined, reason: Reason, settle: Settle): void {
    const batch = this.gather(settle);
    const counts = round ? batch.round(round.poll, round.round).rejected : batch.refused;
    counts[reason] = (counts[reason] ?? 0) + 1;
  }

  /** Resolves when everything gathered so far is settled, however much comes after it. */
  drained(): Promise<void> {
    const newest = this.batches.at(-1) ?? this.writing;
    if (!newest) return Promise.resolve();
    return new Promise((resolve) => newest.waiters.push(resolve));
  }

  private gather(settle: Settle): Batch {
    let batch = this.batches.at(-1);
    if (!batch || batch.settles.length >= MAX_ENTRY_ITEMS) {
      batch = new Batch(this.lease.term);
      this.batches.push(batch);
      // The rest of this turn's packets, from all connections, travel in the same entry.
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
    const startMs = performance.now();
    if (this.lease.untilMs <= startMs) await this.withoutLease(startMs + MAX_APPEND_MS);
    if (term !== this.lease.term) throw new StoreError('this broker was cut off from the store; votes must come again');
    const untilMs = Math.min(startMs + MAX_APPEND_MS, this.lease.untilMs);
    const entry: VoteEntry = {
      type: 'votes',
      producer: this.producer,
      sequence: this.sequence++,
      atMs: Date.now(),
      rounds: [...rounds.values()],
      refused,
    };
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, fail) => {
      const error = new Error(`the vote log did not answer within ${APPEND_LIMIT_MS} ms`);
      timer = setTimeout(() => fail(error), APPEND_LIMIT_MS);
    });
    try {
      await Promise.race([this.log.append(this.partition, entry, untilMs), limit]);
      this.metrics.appendSeconds.observe((performance.now() - startMs) / 1000);
      this.metrics.appendVotes.observe(settles.length);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Holds what cannot be stored until there is a lease again: devices that are let go at once all come back at once. */
  private async withoutLease(endMs: number): Promise<never> {
    while (this.lease.untilMs <= performance.now() && performance.now() < endMs) await pause(LEASE_LOOK_MS);
    throw new StoreError('this broker has no lease: it cannot reach the store');
  }
}
