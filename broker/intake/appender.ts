import { StoreError } from '../../core/store/error.ts';
import { MAX_APPEND_MS, type VoteLog } from '../../core/store/store.ts';
import { addRejections, type RejectionCounts } from '../../core/voting/count/accounting.ts';
import type { VoteColumns } from '../../core/voting/count/entries/columns.ts';
import type { VoteEntry } from '../../core/voting/count/entry.ts';
import type { Reason } from '../../core/voting/rules/rejection.ts';
import { within } from '../../core/waiting/deadline.ts';
import { pause } from '../../core/waiting/pause.ts';
import type { Pending } from '../connection/acknowledgements.ts';
import type { Lease } from '../lease/lease.ts';
import type { BrokerMetrics } from '../metrics.ts';
import type { Receipt } from '../outbound/receipts.ts';
import { Batch } from './batch.ts';
import type { Sender } from './message.ts';
import type { WritePace } from './write-pace.ts';

/** Maximum number of votes and rejections in one log entry. */
export const MAX_ENTRY_ITEMS = 2_000;
/** If an append takes longer than this (ms), the devices that sent its votes are disconnected without an acknowledgement. */
export const APPEND_LIMIT_MS = 5_000;

/** Interval in ms between checks whether an expired lease has been renewed. */
const LEASE_CHECK_MS = 50;

export interface AppenderParts {
  readonly log: VoteLog;
  readonly partition: number;
  /** Identifies this run of the broker; generated at each start. */
  readonly producer: string;
  /** This broker’s right to store votes. */
  readonly lease: Lease;
  readonly metrics: BrokerMetrics;
  /** When writes start; shared by all partitions. */
  readonly pace: WritePace;
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
  /** An empty batch, to use its memory again. */
  private spare: Batch | undefined;

  constructor(parts: AppenderParts) {
    this.parts = parts;
  }

  /** Makes room for a vote in the next entry. @returns the votes of the round, to which the caller must add it */
  take(poll: string, round: number, sender: Sender, pending: Pending, receipt: Receipt): VoteColumns {
    const batch = this.gather();
    batch.send(sender, pending, receipt);
    return batch.round(poll, round).votes;
  }

  /** Counts a rejection in the log, without its payload. If `round` is undefined, the rejection belongs to no round. */
  rejection(
    round: { poll: string; round: number } | undefined,
    reason: Reason,
    sender: Sender,
    pending: Pending,
    receipt: Receipt,
  ): void {
    const batch = this.gather();
    batch.send(sender, pending, receipt);
    const counts = round ? batch.round(round.poll, round.round).rejected : batch.refused;
    counts[reason] = (counts[reason] ?? 0) + 1;
  }

  /** Resolves when everything received so far has been written or has failed. Does not wait for what arrives later. */
  drained(): Promise<void> {
    const newest = this.batches.at(-1) ?? this.writing;
    if (!newest) return Promise.resolve();
    return new Promise((resolve) => newest.waiters.push(resolve));
  }

  private gather(): Batch {
    let batch = this.batches.at(-1);
    if (!batch || batch.size >= MAX_ENTRY_ITEMS) {
      batch = this.spare ?? new Batch();
      this.spare = undefined;
      batch.term = this.parts.lease.term;
      this.batches.push(batch);
      if (this.batches.length === 1 && !this.writing) this.writeSoon();
    }
    return batch;
  }

  private writeSoon(): void {
    this.parts.pace.next(() => this.write());
  }

  private write(): void {
    const batch = this.batches.shift() as Batch;
    this.writing = batch;
    this.append(batch).then(
      () => this.settle(batch),
      (error: Error) => this.settle(batch, error),
    );
  }

  private settle(batch: Batch, error?: Error): void {
    this.writing = undefined;
    if (this.batches.length > 0) this.writeSoon();
    this.measure(batch, error);
    batch.settle(error);
    batch.clear();
    this.spare = batch;
  }

  private measure({ size, rounds, refused }: Batch, error: Error | undefined): void {
    const { metrics } = this.parts;
    if (error) return metrics.failed.inc(size);
    const all: RejectionCounts = {};
    let accepted = 0;
    addRejections(all, refused);
    for (const { votes, rejected } of rounds) {
      accepted += votes.length;
      addRejections(all, rejected);
    }
    metrics.accepted.inc(accepted);
    for (const [reason, count] of Object.entries(all)) metrics.rejected.inc({ reason }, count);
  }

  private async append({ rounds, refused, size, term }: Batch): Promise<void> {
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
      rounds,
      refused,
    };
    const late = () => new Error(`the vote log did not answer within ${APPEND_LIMIT_MS} ms`);
    await within(APPEND_LIMIT_MS, log.append(partition, entry, untilMs), late);
    metrics.appendSeconds.observe((performance.now() - startMs) / 1000);
    metrics.appendVotes.observe(size);
  }

  /** Fails once there is a lease or `endMs` is reached. If it failed immediately, devices would reconnect immediately. */
  private async awaitLease(endMs: number): Promise<never> {
    const { lease } = this.parts;
    while (lease.untilMs <= performance.now() && performance.now() < endMs) await pause(LEASE_CHECK_MS);
    throw new StoreError('this broker has no lease: it cannot reach the store');
  }
}
