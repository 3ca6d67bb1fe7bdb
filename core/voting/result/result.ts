import { type Accounting, sumAccounting, totalRejected } from '../count/accounting.ts';
import { type Bundle, bundlesCastSince, bundlesOf, readCast, sumBundles } from '../count/cast.ts';
import type { Slice } from '../count/slice.ts';
import { merge, type Tally } from '../count/tally.ts';
import type { Definition, FiguresOf, KindName } from '../kinds/definition.ts';
import type { OptionResult } from '../kinds/figures/option-result.ts';
import { kindOf } from '../kinds/index.ts';
import type { Poll, Status } from '../poll/poll.ts';
import { type RoundRecord, recordOf } from '../rules/record.ts';
import { tieBreakerOf } from '../rules/tie.ts';
import { formatWeight, parseWeight, shareOf } from '../rules/weight.ts';
import { type GroupResult, groupResults, visibleGroups } from './groups.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/** An interruption of a round: when it was closed, and when voting went on (null: it is about to), UTC. */
export interface InterruptionAnswer {
  readonly closedAt: string;
  readonly continuedAt: string | null;
}

/** What results of all kinds contain. */
interface ResultBase {
  readonly poll: string;
  readonly title: string;
  readonly round: number;
  readonly status: Status;
  /**
   * True when the round is closed, every partition has folded its close marker, and nothing is missing. No figure can change any
   * more, unless an operator continues the round.
   */
  readonly final: boolean;
  /** How many entries of the log could not be read while votes counted; only if any. Votes may be missing, so it is not final. */
  readonly missing?: number;
  /** Ballots that count, one per voter. This and the next four fields, and `at`, are null if the turnout is hidden. */
  readonly ballots: number | null;
  /** All votes received. */
  readonly votes: number | null;
  readonly rejected: number | null;
  readonly accounting: Accounting | null;
  /** How many of those who may vote have voted. */
  readonly turnout: Turnout | null;
  /** When the round closes automatically, UTC. */
  readonly closingAt: string | null;
  /** When the latest vote or marker was logged, UTC; null if nothing has been logged yet, or the turnout is hidden. */
  readonly at: string | null;
  /** When the round was closed and then continued (UTC), oldest first; only if it was. */
  readonly interruptions?: readonly InterruptionAnswer[];
  /** The outcome of the recount; present once the round has been recounted. */
  readonly recount?: { readonly agrees: boolean; readonly at: string };
}

/** What a poll’s rules add to the figures of its kind. */
interface RuleFigures {
  readonly groups?: readonly GroupResult[];
  readonly verdict?: Verdict;
  /** Ballots cast before the close that arrived after it; only if the poll accepts late votes. */
  readonly late?: number;
  /** Only with tieBreak lot: the seed, and in `lot` the option keys in the order drawn. */
  readonly seed?: string;
  readonly lot?: readonly string[];
  /** Lots drawn by people after the close: the tied option keys in the order drawn, and when that was recorded, UTC. */
  readonly draws?: readonly { readonly order: readonly string[]; readonly at: string }[];
  /** Options withdrawn after the close, and when, UTC. */
  readonly withdrawals?: readonly { readonly option: string; readonly at: string }[];
}

/** A result with the figures of its kind. */
export type OpenResult<Name extends KindName = KindName> = {
  [Each in Name]: ResultBase & RuleFigures & FiguresOf<Each> & { readonly kind: Each; readonly hidden?: undefined };
}[Name];

/** A result whose figures are hidden from its audience. */
export interface HiddenResult extends ResultBase {
  readonly kind: KindName;
  readonly hidden: true;
  /** Set if this audience would see the figures, but the presenter hides them for now. */
  readonly curtain?: true;
  readonly options: readonly OptionResult[];
}

/** The result of a poll as people see it: derived from its slices, never stored. `kind` and `hidden` tell the types apart. */
export type Result = OpenResult | HiddenResult;

export interface Turnout {
  readonly voted: number;
  /** Null if the size of the electorate is unknown. */
  readonly entitled: number | null;
  readonly share: number | null;
  /** Only in weighted polls; exact, as text. */
  readonly weight?: { readonly voted: string; readonly entitled: string | null; readonly share: number | null };
}

/**
 * The result of a poll’s current round.
 *
 * @param slices one element per partition, undefined if the partition has no slice yet
 * @param nowMs the current time, ms since 1970; needed because votes may expire
 */
export function resultOf(poll: Poll, slices: readonly (Slice | undefined)[], nowMs: number): OpenResult {
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
    ...missingFrom(present),
    ballots: accounting.counted,
    votes: accounting.received,
    rejected: totalRejected(accounting.rejected),
    accounting,
    ...figuresOf(poll, tally, final, poll.closedAtMs ?? nowMs),
    closingAt: time(poll.closesAtMs),
    at: time(atMs || undefined),
    ...interruptionsOf(poll),
    ...recountOf(poll),
  } as OpenResult;
}

/** How many entries of the log could not be read, as results and recounts show it; empty if there are none. */
export function missingFrom(slices: readonly Slice[]): Pick<ResultBase, 'missing'> {
  const missing = slices.reduce((sum, slice) => sum + (slice.missing ?? 0), 0);
  return missing > 0 ? { missing } : {};
}

/** The interruptions of a round as results show them; empty if there are none. */
export function interruptionsOf({ interruptions = [] }: RoundRecord): Pick<ResultBase, 'interruptions'> {
  if (interruptions.length === 0) return {};
  const shown = interruptions.map(({ closedAtMs, continuedAtMs }) => ({
    closedAt: new Date(closedAtMs).toISOString(),
    continuedAt: time(continuedAtMs),
  }));
  return { interruptions: shown };
}

function recountOf({ recount, round }: Poll): Pick<ResultBase, 'recount'> {
  if (recount?.round !== round) return {};
  return { recount: { agrees: recount.agrees, at: new Date(recount.atMs).toISOString() } };
}

/** The figures of a tally, by the poll’s kind and rules. A pure function of its arguments. */
export function figuresOf(poll: Poll, tally: Tally, isFinal: boolean, nowMs: number) {
  const { definition } = poll;
  const kind = kindOf(definition);
  const bundles = bundlesCountingAt(definition, bundlesOf(tally), nowMs);
  const withdrawn = new Set(poll.withdrawals?.map(({ option }) => option));
  const context = { breaker: tieBreakerOf(definition, poll), isFinal, withdrawn };
  const figures = kind.result(definition, bundles, context);
  // Every group counts for the verdict, even a group too small to be shown. Voters without a group do not form a group.
  const deciding = definition.byGroup ? groupResults(definition, bundles, context) : [];
  const groups = deciding.filter(({ group }) => group !== null);
  const cast = sumBundles(bundles);
  const { options, winners } = figures;
  const verdict = verdictOf(definition, recordOf(poll), { options, winners, cast, groups });
  const byRules: RuleFigures = {
    ...(definition.byGroup ? { groups: visibleGroups(definition, bundles, context) } : {}),
    ...(verdict ? { verdict } : {}),
    ...(definition.lateGraceMs ? { late: sumBundles(bundles.filter(({ late }) => late)).heads } : {}),
    ...(definition.tieBreak === 'lot' && poll.seed !== undefined ? { seed: poll.seed, lot: poll.lot ?? [] } : {}),
    ...(poll.draws ? { draws: poll.draws.map(({ order, atMs }) => ({ order, at: isoOf(atMs) })) } : {}),
    ...(poll.withdrawals
      ? { withdrawals: poll.withdrawals.map(({ option, atMs }) => ({ option, at: isoOf(atMs) })) }
      : {}),
  };
  return { ...figures, ...byRules, turnout: turnoutOf(definition, poll, cast) };
}

/** The ballots that count at a given time: all of them, unless votes expire. @param nowMs ms since 1970 */
export function bundlesCountingAt(
  definition: Definition,
  bundles: readonly Bundle[],
  nowMs: number,
): readonly Bundle[] {
  const lifetimeMs = kindOf(definition).lifetimeMs?.(definition);
  return lifetimeMs === undefined ? bundles : bundlesCastSince(bundles, nowMs - lifetimeMs);
}

/** True if the result changes with time alone, because votes expire. */
export function isTimeDependent(definition: Definition): boolean {
  return kindOf(definition).lifetimeMs !== undefined;
}

/**
 * When the result changes even if nothing is counted, in ms since 1970: when the next vote expires. Infinity if none does.
 *
 * @param nowMs the time for which the result was computed, ms since 1970
 */
export function changesAt({ definition, status }: Poll, slices: readonly (Slice | undefined)[], nowMs: number): number {
  const lifetimeMs = kindOf(definition).lifetimeMs?.(definition);
  if (lifetimeMs === undefined || status !== 'open') return Number.POSITIVE_INFINITY;
  let nextMs = Number.POSITIVE_INFINITY;
  for (const slice of slices) {
    for (const cast of slice?.tally.keys() ?? []) {
      const endMs = (readCast(cast).second ?? 0) * 1_000 + lifetimeMs;
      if (endMs > nowMs && endMs < nextMs) nextMs = endMs;
    }
  }
  return nextMs;
}

/** True when the round is closed, every partition has folded its close marker, and no part of the log was unreadable. */
export function isFinal(poll: Poll, slices: readonly (Slice | undefined)[]): boolean {
  // Before the markers of a continued round are folded, its slices look closed, but they still are as they were before.
  const interruptions = poll.interruptions?.length ?? 0;
  return (
    poll.status === 'closed' &&
    slices.every((slice) => slice && !slice.open && !slice.missing && (slice.interruptions ?? 0) === interruptions)
  );
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
  return ms === undefined ? null : isoOf(ms);
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
