import { createHash } from 'node:crypto';
import { type Accounting, balances, type RejectionCounts, sumAccounting } from '../voting/count/accounting.ts';
import type { Replay } from '../voting/count/replay.ts';
import { merge, type Tally } from '../voting/count/tally.ts';
import type { Definition } from '../voting/kinds/definition.ts';
import type { Poll } from '../voting/poll/poll.ts';
import { figuresOf, interruptionsOf } from '../voting/result/result.ts';
import type { RoundRecord } from '../voting/rules/record.ts';
import type { AuditRecord } from './trail/fact.ts';

/**
 * An audit bundle: everything needed to reproduce the result of a finished round, as JSON lines. The first line describes the
 * round, the last one holds the result, and the lines in between are the entries of its vote log, or in secret rounds its markers
 * and ballots, followed by what operators did to the poll. Each line contains the SHA-256 of the previous hash and its own content,
 * so anyone who knows the last hash can detect changed, removed or inserted lines.
 */
export const FORMAT = 'pollcast audit bundle';
/**
 * `log`: entries as they were logged. `ballots`: of a secret round, whose entries would say when and how often a voter voted.
 * `records`: either of them, and records of the audit trail.
 */
export const VERSION = { log: 1, ballots: 2, records: 3 } as const;

export interface Header {
  readonly format: typeof FORMAT;
  readonly version: number;
  readonly poll: string;
  readonly round: number;
  readonly partitions: number;
  readonly definition: Definition;
  readonly record: RoundRecord;
}

/** An entry of the log that could not be read while the round was open. Not its text: it may hold votes of other rounds. */
export interface Unreadable {
  readonly why: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What became of the votes of a secret round that are no ballots, as numbers only. */
export interface Apart {
  readonly replaced: number;
  readonly redelivered: number;
  readonly rejected: RejectionCounts;
  /** How many of the ballots arrived late; only if the poll accepts late votes. */
  readonly late?: number;
  /** What was wrong with the log when the bundle was written. */
  readonly problems: readonly string[];
}

/** A ballot of a secret round: a pseudonym whose key has been destroyed, and what the voter chose. */
export type SecretBallot = readonly [voter: string, cast: string];

export type Content =
  | { readonly header: Header }
  | { readonly partition: number; readonly offset: string; readonly entry: string }
  | { readonly partition: number; readonly offset: string; readonly unreadable: Unreadable }
  | { readonly entry: string }
  | { readonly ballot: SecretBallot }
  | { readonly apart: Apart }
  | { readonly record: AuditRecord }
  | { readonly result: unknown };

/** The hash of a line. @param before the hash of the line before it, empty for the first one */
export function hashOf(before: string, content: Content): string {
  return createHash('sha256')
    .update(`${before}\n${JSON.stringify(content)}`)
    .digest('hex');
}

/** What was counted in a round. */
export interface Count {
  readonly accounting: Accounting;
  readonly tally: Tally;
  readonly problems: readonly string[];
  /** How many ballots arrived late, where they do not say so themselves. */
  readonly late?: number | undefined;
}

/** What a replay of each partition has counted. */
export function countOf(poll: Poll, replays: readonly Replay[]): Count {
  const slices = replays.map(({ slice }) => slice);
  const present = slices.filter((slice) => slice !== undefined);
  const accounting = sumAccounting(present.map((slice) => slice.accounting));
  const problems: string[] = [];
  for (const [partition, slice] of slices.entries()) {
    if (slice?.missing) {
      const were = slice.missing === 1 ? '1 log entry' : `${slice.missing} log entries`;
      problems.push(`partition ${partition}: ${were} could not be read, so votes may be missing`);
    }
    if (!slice) problems.push(`partition ${partition}: the open marker is missing from the log`);
    else if (slice.open) problems.push(`partition ${partition}: the close marker is missing from the log`);
    else if ((slice.interruptions ?? 0) !== (poll.interruptions?.length ?? 0))
      problems.push(`partition ${partition}: the markers of an interruption are missing from the log`);
  }
  if (!balances(accounting)) problems.push('the accounting does not balance');
  return { accounting, tally: merge(present.map((slice) => slice.tally)), problems };
}

/** The outcome of a round, derived from what was counted. */
export function outcomeOf(poll: Poll, { accounting, tally, problems, late }: Count) {
  const figures = figuresOf(poll, tally, true, poll.closedAtMs ?? 0);
  return {
    accounting,
    ...interruptionsOf(poll),
    tally: Object.fromEntries([...tally].sort(([a], [b]) => (a < b ? -1 : 1))),
    figures: late === undefined ? figures : { ...figures, late },
    problems,
  };
}
