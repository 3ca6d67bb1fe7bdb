import type { Roll } from './roll.ts';
import type { Eligible, Majority, Quorum, Revote, Secrecy, TieBreak, Visibility } from './rules.ts';

/** One possible answer; devices send the short key, people read the label. */
export interface Option {
  readonly key: string;
  readonly label: string;
}

export const KIND_NAMES = [
  'single',
  'motion',
  'multiple',
  'rating',
  'numeric',
  'points',
  'ranking',
  'score',
  'quiz',
  'text',
  'pulse',
] as const;
export type KindName = (typeof KIND_NAMES)[number];

/** Settings that only some kinds have; each kind names its own in `Kind.settings`. */
export interface KindSettings {
  /** multiple: the fewest options of a vote. rating, score: the lowest grade. numeric: the lowest number. ranking: the fewest ranks. */
  readonly min?: number | undefined;
  /** multiple: the most options of a vote. rating, score: the highest grade. numeric: the highest number. ranking: the most ranks. */
  readonly max?: number | undefined;
  /** single, multiple: whether there is the option `none` (of the above). */
  readonly none?: boolean | undefined;
  /** motion: whether there is the option `abstain`; default yes. */
  readonly abstain?: boolean | undefined;
  /** multiple: what shares are of; default of voters. */
  readonly shareOf?: 'voters' | 'selections' | undefined;
  /** rating: what is rated, when it is several things. */
  readonly items?: readonly Option[] | undefined;
  /** rating: how many of the highest grades are the top box; default 1. */
  readonly top?: number | undefined;
  /** numeric: digits after the point; default 0. */
  readonly decimals?: number | undefined;
  readonly unit?: string | undefined;
  /** numeric: bars of the histogram; default 10. */
  readonly bins?: number | undefined;
  /** numeric: the share left out at each end for the trimmed mean, below 0.5; default 0.1. */
  readonly trim?: number | undefined;
  /** numeric: the right number, of an estimate; not told before the round is final. */
  readonly answer?: number | undefined;
  /** numeric: how far from the answer is right still; default 0. */
  readonly tolerance?: number | undefined;
  /** numeric: how far beyond that a guess is worth something: the less, the further; default 0: nothing. */
  readonly proximity?: number | undefined;
  /** points: what a voter spreads over the options; default 10. */
  readonly budget?: number | undefined;
  /** points: whether all of it must be spent; default `up-to`. */
  readonly spend?: 'all' | 'up-to' | undefined;
  /** ranking: how it is counted; default irv. score: `score` (default) or `star`. */
  readonly method?: 'irv' | 'stv' | 'borda' | 'condorcet' | 'score' | 'star' | undefined;
  /** ranking by stv: how many are elected. */
  readonly seats?: number | undefined;
  /** ranking by borda: what places are worth; see kinds/ranking/borda.ts. */
  readonly variant?: 'standard' | 'modified' | 'averaged' | 'dowdall' | undefined;
  /** quiz: what is asked for; default single. */
  readonly question?: 'single' | 'multiple' | 'ordering' | 'short' | undefined;
  /** quiz: the right keys, in order where the order is asked for; not told before the round is final. */
  readonly correct?: readonly string[] | undefined;
  /** quiz, short answer: the forms that are right; not told before the round is final. */
  readonly accept?: readonly string[] | undefined;
  /** quiz: what an answer that is partly right is worth; default strict: nothing. */
  readonly credit?: 'strict' | 'balanced' | 'per-option' | undefined;
  /** quiz, numeric with an answer: points for a right one; default 1000. */
  readonly points?: number | undefined;
  /** quiz, numeric with an answer: the share of the points that the slowest loses, 0 to 1; default 0. Needs `durationMs`. */
  readonly speed?: number | undefined;
  /** text: characters of a phrase, at most; default 40. */
  readonly maxLength?: number | undefined;
  /** text: phrases of a vote, at most; default 3. */
  readonly maxPhrases?: number | undefined;
  /** text: phrases that are refused. */
  readonly stop?: readonly string[] | undefined;
  /** text: what operators hid or put together; may change at any time. */
  readonly moderation?: Moderation | undefined;
  /** pulse: how long a press counts, ms; default 60 s. */
  readonly windowMs?: number | undefined;
}

/** What operators did to the phrases people sent. Ballots stay as they are. */
export interface Moderation {
  /** Phrases that are not shown. */
  readonly hide?: readonly string[] | undefined;
  /** Phrases that are counted as another. */
  readonly merge?: Readonly<Record<string, string>> | undefined;
}

/** A question, its options and its rules. Immutable from the first opening on, but for `MUTABLE`. */
export interface Definition extends KindSettings {
  readonly poll: string;
  readonly room?: string | undefined;
  readonly title: string;
  readonly kind: KindName;
  readonly options: readonly Option[];
  readonly revote: Revote;
  /** Whether a voter may take the ballot back, with the choice `-`. */
  readonly withdraw?: boolean | undefined;
  readonly visibility: Visibility;
  /** Default: anyone. */
  readonly eligible?: Eligible | undefined;
  /** Whether devices count by their weight. */
  readonly weighted?: boolean | undefined;
  /** Whether the result is also told by group. */
  readonly byGroup?: boolean | undefined;
  /** Default: named. */
  readonly secrecy?: Secrecy | undefined;
  /** secret: groups of fewer voters are not told apart; default 5. */
  readonly minGroup?: number | undefined;
  /** All of these must be met; a name of `MAJORITIES` stands for its list. */
  readonly majority?: string | readonly Majority[] | undefined;
  readonly quorum?: Quorum | undefined;
  /** How many may vote, where the registered devices do not tell. */
  readonly entitled?: { readonly heads?: number | undefined; readonly weight?: string | undefined } | undefined;
  readonly tieBreak?: TieBreak | undefined;
  /** tieBreak lot: what the lot is drawn from; drawn at the opening when it is not given. */
  readonly seed?: string | undefined;
  /** The round is opened by itself at this instant, ISO 8601 with zone. */
  readonly opensAt?: string | undefined;
  /** A round that is open then is closed by itself, ISO 8601 with zone. */
  readonly closesAt?: string | undefined;
  /** Each round is closed by itself so long after its opening. */
  readonly durationMs?: number | undefined;
  /** How long after the close votes are taken that were pressed before it; they are marked as late. */
  readonly lateGraceMs?: number | undefined;
}

/** What may be changed of a poll that was opened: who sees it, never what was asked. */
export const MUTABLE = ['visibility', 'moderation'] as const satisfies readonly (keyof Definition)[];

/**
 * `draft` never opened · `opening` open markers are being written · `open` votes count ·
 * `grace` the round is over, but votes pressed before its end are still taken ·
 * `closing` brokers refuse new votes and hand in what they accepted · `closed` close markers are written.
 */
export type Status = 'draft' | 'opening' | 'open' | 'grace' | 'closing' | 'closed';

/** What is kept of a round beside its count. Instants are ms since 1970. */
export interface RoundRecord {
  readonly openedAtMs?: number | undefined;
  /** When it is closed by itself. */
  readonly closesAtMs?: number | undefined;
  /** When voting was over; from then on votes count only as late ones. */
  readonly stoppedAtMs?: number | undefined;
  readonly closedAtMs?: number | undefined;
  /** All who might vote, at the opening; absent where that cannot be known. */
  readonly electorate?: Roll | undefined;
  /** Those whose devices were connected, where the poll asks for it. */
  readonly presentAtOpen?: Roll | undefined;
  readonly presentAtClose?: Roll | undefined;
  /** tieBreak lot: what it was drawn from, and the options' keys as they were drawn: the first wins. */
  readonly seed?: string | undefined;
  readonly lot?: readonly string[] | undefined;
  /** Stands for several old rounds: of each by itself nothing is kept. */
  readonly isMerged?: boolean | undefined;
}

/** A poll as it is kept: its definition and where it stands. Instants are milliseconds since 1970, UTC. */
export interface Poll extends RoundRecord {
  readonly definition: Definition;
  readonly status: Status;
  /** The current or latest round; 0 before the first opening. */
  readonly round: number;
  readonly createdAtMs: number;
  /** The rounds before the current one, oldest first. */
  readonly pastRounds?: readonly RoundRecord[] | undefined;
  /** Rounds of deleted polls of the same id; this poll's rounds come after them. */
  readonly retiredRounds?: number | undefined;
  /** Set when the poll was deleted: the id may be used again, with rounds that continue after this one. */
  readonly deleted?: boolean | undefined;
  /** Turns device ids into pseudonyms, where the poll asks for that. Never shown. */
  readonly pseudonymKey?: string | undefined;
  /** What came of counting a round again once it was final; of no other round than the one it names. */
  readonly recount?: { readonly round: number; readonly agrees: boolean; readonly atMs: number } | undefined;
  /** It is a copy to rehearse with, of the poll of this id. */
  readonly rehearsalOf?: string | undefined;
  /** The definition as its author wrote it, without what was filled in; kept while it is a draft. */
  readonly draft?: Definition | undefined;
}

/** The record of the current round. */
export function recordOf(poll: Poll): RoundRecord {
  const { openedAtMs, closesAtMs, stoppedAtMs, closedAtMs, electorate, presentAtOpen, presentAtClose, seed, lot } =
    poll;
  return { openedAtMs, closesAtMs, stoppedAtMs, closedAtMs, electorate, presentAtOpen, presentAtClose, seed, lot };
}

/** The poll as it stood in one of its rounds; undefined when nothing is kept of that round. */
export function inRound(poll: Poll, round: number): Poll | undefined {
  if (round === poll.round) return poll;
  const past = poll.pastRounds ?? [];
  const record = past[past.length - (poll.round - round)];
  if (round > poll.round || !record || record.isMerged) return undefined;
  return { ...poll, ...recordOf({ ...poll, ...NO_RECORD, ...record }), round, status: 'closed' };
}

/** A round of which nothing is known yet. */
export const NO_RECORD: Record<keyof RoundRecord, undefined> = {
  openedAtMs: undefined,
  closesAtMs: undefined,
  stoppedAtMs: undefined,
  closedAtMs: undefined,
  electorate: undefined,
  presentAtOpen: undefined,
  presentAtClose: undefined,
  seed: undefined,
  lot: undefined,
  isMerged: undefined,
};

/** True while a round is under way, from its opening until its close markers are written. */
export function isUnderWay(status: Status): boolean {
  return status !== 'draft' && status !== 'closed';
}

/** True while nobody but operators may know the question: it was never open. */
export function isUnasked({ status, round, retiredRounds = 0 }: Poll): boolean {
  return status === 'draft' || (status === 'opening' && round === retiredRounds + 1);
}

/** The poll a room's vote topic means now: the one that is open there, else the one opened last. */
export function currentInRoom(polls: Iterable<Poll>, room: string): Poll | undefined {
  let current: Poll | undefined;
  for (const poll of polls) {
    if (poll.definition.room !== room || poll.round === 0) continue;
    if (!current || rank(poll) > rank(current)) current = poll;
  }
  return current;
}

function rank(poll: Poll): number {
  const openedAtMs = poll.openedAtMs ?? 0;
  return poll.status === 'open' || poll.status === 'grace' ? openedAtMs + Number.MAX_SAFE_INTEGER / 2 : openedAtMs;
}
