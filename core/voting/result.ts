import { type Accounting, sumAccounting, totalRejected } from './accounting.ts';
import { kinds } from './kinds/index.ts';
import type { KindResult, OptionResult } from './kinds/kind.ts';
import { isUnasked, type KindName, type Option, type Poll, type Status } from './poll.ts';
import type { Slice } from './slice.ts';
import { merge } from './tally.ts';

/** What people read of a poll: derived from its slices, never stored. */
export interface Result {
  readonly poll: string;
  readonly title: string;
  readonly kind: KindName;
  readonly round: number;
  readonly status: Status;
  /** True when every partition has folded its close marker: no figure can change any more. */
  readonly final: boolean;
  /** Ballots that count: one per device. */
  readonly ballots: number;
  /** Votes received, whatever became of them. */
  readonly votes: number;
  readonly rejected: number;
  readonly accounting: Accounting;
  readonly options: readonly OptionResult[];
  /** When the newest vote or marker was logged, UTC; null before the first. */
  readonly at: string | null;
  /** The kind's own figures. */
  readonly [figure: string]: unknown;
}

/** The result of a poll's current round. `slices` holds one place per partition, empty where it has none yet. */
export function resultOf(poll: Poll, slices: readonly (Slice | undefined)[]): Result {
  const present = slices.filter((slice) => slice !== undefined);
  const accounting = sumAccounting(present.map((slice) => slice.accounting));
  const { definition, round, status } = poll;
  const atMs = present.reduce((latest, slice) => Math.max(latest, slice.atMs), 0);
  const figures: KindResult = kinds[definition.kind].result(definition, merge(present.map((slice) => slice.tally)));
  return {
    poll: definition.poll,
    title: definition.title,
    kind: definition.kind,
    round,
    status,
    final: isFinal(poll, slices),
    ballots: accounting.counted,
    votes: accounting.received,
    rejected: totalRejected(accounting.rejected),
    accounting,
    ...figures,
    at: atMs === 0 ? null : new Date(atMs).toISOString(),
  };
}

/** True when the round is closed and every partition has folded that. */
export function isFinal(poll: Poll, slices: readonly (Slice | undefined)[]): boolean {
  return poll.status === 'closed' && slices.every((slice) => slice !== undefined && !slice.open);
}

/**
 * What viewers other than operators may see: all of it, or only how many have voted; of a draft, that there is one.
 */
export function publicResult(result: Result, poll: Poll): Result {
  const { visibility } = poll.definition;
  if (isUnasked(poll)) return { ...withoutFigures(result, []), title: '' };
  if (visibility === 'live' || (visibility === 'closed' && result.final)) return result;
  return withoutFigures(result, poll.definition.options);
}

function withoutFigures(result: Result, visible: readonly Option[]): Result {
  const { poll, title, kind, round, status, final, ballots, votes, rejected, accounting, at } = result;
  const options = visible.map(({ key, label }) => ({ key, label, count: null, share: null }));
  return { poll, title, kind, round, status, final, ballots, votes, rejected, accounting, options, at, hidden: true };
}
