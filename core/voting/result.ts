import { type Accounting, sumAccounting, totalRejected } from './accounting.ts';
import { bundlesOf, pressedSince, sumBundles } from './cast.ts';
import { type GroupResult, groupResults, visibleGroups } from './groups.ts';
import { kinds } from './kinds/index.ts';
import type { OptionResult } from './kinds/kind.ts';
import { type Definition, type KindName, type Poll, recordOf, type Status } from './poll.ts';
import type { Slice } from './slice.ts';
import { merge, type Tally } from './tally.ts';
import { tieBreakerOf } from './tie.ts';
import { type Verdict, verdictOf } from './verdict.ts';
import { formatWeight, parseWeight, shareOf } from './weight.ts';

/** What people read of a poll: derived from its slices, never stored. */
export interface Result {
  readonly poll: string;
  readonly title: string;
  readonly kind: KindName;
  readonly round: number;
  readonly status: Status;
  /** True when every partition has folded its close marker: no figure can change any more. */
  readonly final: boolean;
  /** Ballots that count: one per voter. Null, as the next three, where it is not shown how many voted. */
  readonly ballots: number | null;
  /** Votes received, whatever became of them. */
  readonly votes: number | null;
  readonly rejected: number | null;
  readonly accounting: Accounting | null;
  /** How many of those who may vote did. */
  readonly turnout: Turnout | null;
  readonly options: readonly OptionResult[];
  readonly groups?: readonly GroupResult[];
  readonly verdict?: Verdict;
  /** Ballots of votes that were pressed before the close and came after it; only where the poll takes them. */
  readonly late?: number;
  /** When it is closed by itself, UTC. */
  readonly closingAt: string | null;
  /** When the newest vote or marker was logged, UTC; null before the first. */
  readonly at: string | null;
  /** What came of counting the log again, once that was done. */
  readonly recount?: { readonly agrees: boolean; readonly at: string };
  /** Figures are not shown to whoever asked. */
  readonly hidden?: boolean;
  /** The kind's own figures. */
  readonly [figure: string]: unknown;
}

export interface Turnout {
  readonly voted: number;
  /** Null where nobody knows how many may vote. */
  readonly entitled: number | null;
  readonly share: number | null;
  /** Only where the poll is weighted; exact, as text. */
  readonly weight?: { readonly voted: string; readonly entitled: string | null; readonly share: number | null };
}

/**
 * The result of a poll's current round.
 *
 * @param slices one place per partition, empty where it has none yet
 * @param nowMs the instant that "now" means, ms since 1970: a pulse is about the last seconds
 */
export function resultOf(poll: Poll, slices: readonly (Slice | undefined)[], nowMs: number): Result {
  const present = slices.filter((slice) => slice !== undefined);
  const accounting = sumAccounting(present.map((slice) => slice.accounting));
  const atMs = present.reduce((latest, slice) => Math.max(latest, slice.atMs), 0);
  const final = isFinal(poll, slices);
  const tally = merge(present.map((slice) => slice.tally));
  const { definition, round, status } = poll;
  return {
    poll: definition.poll,
    title: definition.title,
    kind: definition.kind,
    round,
    status,
    final,
    ballots: accounting.counted,
    votes: accounting.received,
    rejected: totalRejected(accounting.rejected),
    accounting,
    ...figuresOf(poll, tally, final, poll.closedAtMs ?? nowMs),
    closingAt: time(poll.closesAtMs),
    at: time(atMs || undefined),
    ...recountOf(poll),
  };
}

function recountOf({ recount, round }: Poll): Pick<Result, 'recount'> {
  if (recount?.round !== round) return {};
  return { recount: { agrees: recount.agrees, at: new Date(recount.atMs).toISOString() } };
}

/** What the ballots of a tally say, by the poll's kind and rules. A pure function of definition, record and tally. */
export function figuresOf(poll: Poll, tally: Tally, isFinal: boolean, nowMs: number) {
  const { definition } = poll;
  const all = bundlesOf(tally);
  const bundles = definition.kind === 'pulse' ? pressedSince(all, nowMs - (definition.windowMs ?? 0)) : all;
  const circumstances = { breaker: tieBreakerOf(definition, poll.lot), isFinal };
  const figures = kinds[definition.kind].result(definition, bundles, circumstances);
  // Every real group decides, also those that are too small to be shown.
  const deciding = definition.byGroup ? groupResults(definition, bundles, circumstances) : [];
  const groups = deciding.filter(({ group }) => group !== null);
  const cast = sumBundles(bundles);
  const winners = figures.winners as readonly string[] | undefined;
  const verdict = verdictOf(definition, recordOf(poll), { options: figures.options, winners, cast, groups });
  return {
    ...figures,
    ...(definition.byGroup ? { groups: visibleGroups(definition, bundles, circumstances) } : {}),
    ...(verdict ? { verdict } : {}),
    ...(definition.lateGraceMs ? { late: sumBundles(bundles.filter(({ late }) => late)).heads } : {}),
    ...(definition.tieBreak === 'lot' && poll.seed !== undefined ? { seed: poll.seed, lot: poll.lot } : {}),
    turnout: turnoutOf(definition, poll, cast),
  };
}

/** True when the round is closed and every partition has folded that. */
export function isFinal(poll: Poll, slices: readonly (Slice | undefined)[]): boolean {
  return poll.status === 'closed' && slices.every((slice) => slice !== undefined && !slice.open);
}

function turnoutOf(definition: Definition, { electorate }: Poll, cast: ReturnType<typeof sumBundles>): Turnout {
  const { entitled: stated, weighted } = definition;
  const heads = stated?.heads ?? electorate?.heads ?? null;
  const turnout = { voted: cast.heads, entitled: heads, share: heads ? cast.heads / heads : null };
  if (!weighted) return turnout;
  const text = stated?.weight ?? electorate?.weight ?? null;
  const whole = text === null ? undefined : parseWeight(text);
  const share = whole === undefined ? null : shareOf(cast.weight, whole);
  return { ...turnout, weight: { voted: formatWeight(cast.weight), entitled: text, share } };
}

function time(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
