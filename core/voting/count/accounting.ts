import { isReason, type Reason } from '../rules/rejection.ts';

/** The number of rejections by reason; reasons that never occurred are omitted. */
export type RejectionCounts = Partial<Record<Reason, number>>;

/**
 * What happened to every vote received in one round. The log alone is enough to verify that
 * `received = counted + replaced + redelivered + rejected` holds at any time.
 */
export interface Accounting {
  /** All votes that reached a broker. */
  received: number;
  /** Ballots that currently count: one per voter. */
  counted: number;
  /** Ballots replaced by a later vote of the same voter, including withdrawn ballots and the withdrawals themselves. */
  replaced: number;
  /** Repeated copies of a vote, and votes that arrived after a newer vote of the same voter. */
  redelivered: number;
  /** Invalid payloads, and votes that the poll’s rules or the state of the round did not allow. */
  rejected: RejectionCounts;
}

/** An accounting with all counts at zero. */
export function emptyAccounting(): Accounting {
  return { received: 0, counted: 0, replaced: 0, redelivered: 0, rejected: {} };
}

/** Adds `counts` to `into` and returns the number added. Unknown reasons are ignored: they must not become keys. */
export function addRejections(into: RejectionCounts, counts: RejectionCounts): number {
  let added = 0;
  for (const [reason, count] of Object.entries(counts)) {
    if (!isReason(reason) || !count) continue;
    into[reason] = (into[reason] ?? 0) + count;
    added += count;
  }
  return added;
}

/** The total number of rejections. */
export function totalRejected(counts: RejectionCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** The sum of several accountings, such as those of a round’s partitions. */
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

/** True when every received vote is accounted for. */
export function balances(a: Accounting): boolean {
  return a.received === a.counted + a.replaced + a.redelivered + totalRejected(a.rejected);
}
