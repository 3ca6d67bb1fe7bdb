import { isReason, type Reason } from './rejection.ts';

/** Rejections by reason; a reason that never occurred is absent. */
export type RejectionCounts = Partial<Record<Reason, number>>;

/**
 * What became of every vote received in one round. At any time, from the log alone:
 * `received = counted + replaced + redelivered + rejected`.
 */
export interface Accounting {
  /** Votes that reached the broker, whatever became of them. */
  received: number;
  /** Ballots that count now: one per device. */
  counted: number;
  /** Ballots that a later vote of the same device took the place of. */
  replaced: number;
  /** The same vote arriving again, or an older one arriving late. */
  redelivered: number;
  /** Payloads that were not votes, or came outside the round. */
  rejected: RejectionCounts;
}

/** An accounting of nothing. */
export function emptyAccounting(): Accounting {
  return { received: 0, counted: 0, replaced: 0, redelivered: 0, rejected: {} };
}

/** Adds `counts` to `into`. Reasons that this version does not know are ignored, never trusted as keys. */
export function addRejections(into: RejectionCounts, counts: RejectionCounts): number {
  let added = 0;
  for (const [reason, count] of Object.entries(counts)) {
    if (!isReason(reason) || !count) continue;
    into[reason] = (into[reason] ?? 0) + count;
    added += count;
  }
  return added;
}

/** All rejections, whatever the reason. */
export function totalRejected(counts: RejectionCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** The sum of several accountings (the partitions of a round). */
export function sumAccounting(parts: Iterable<Accounting>): Accounting {
  const sum = emptyAccounting();
  for (const part of parts) {
    sum.received += part.received;
    sum.counted += part.counted;
    sum.replaced += part.replaced;
    sum.redelivered += part.redelivered;
    addRejections(sum.rejected, part.rejected);
  }
  return sum;
}

/** True when nothing is unaccounted for. */
export function balances(a: Accounting): boolean {
  return a.received === a.counted + a.replaced + a.redelivered + totalRejected(a.rejected);
}
