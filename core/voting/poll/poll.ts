import { roundKey } from '../count/slice.ts';
import type { Definition, Draft } from '../kinds/definition.ts';
import { begunAtMs, NO_RECORD, type RoundRecord, recordOf } from '../rules/record.ts';

/**
 * `draft`: never opened · `opening`: open markers are being written · `open`: votes count · `grace`: voting has ended, but
 * votes cast before its end are still accepted · `closing`: brokers reject new votes and append those they have accepted ·
 * `closed`: all close markers are written.
 */
export type Status = 'draft' | 'opening' | 'open' | 'grace' | 'closing' | 'closed';

/** A poll as it is stored: its definition and its current state. Times are in ms since 1970, UTC. */
export interface Poll extends RoundRecord {
  readonly definition: Definition;
  readonly status: Status;
  /** The current or latest round; 0 before the first opening. */
  readonly round: number;
  readonly createdAtMs: number;
  /** The rounds before the current one, oldest first. */
  readonly pastRounds?: readonly RoundRecord[] | undefined;
  /** The number of rounds of deleted polls with the same id; the rounds of this poll are numbered after them. */
  readonly retiredRounds?: number | undefined;
  /** Set if the poll was deleted. A new poll may reuse its id, with rounds numbered after those of this poll. */
  readonly deleted?: boolean | undefined;
  /** The key that turns device ids into pseudonyms, if the poll uses them. Never shown. */
  readonly pseudonymKey?: string | undefined;
  /** Set if there is such a key, but this process does not have it (yet): the name of the key. Never shown. */
  readonly missingKey?: string | undefined;
  /** The outcome of the latest recount, with the number of the recounted round. A round is recounted once it is final. */
  readonly recount?: { readonly round: number; readonly agrees: boolean; readonly atMs: number } | undefined;
  /** Set on a copy made for a rehearsal: the id of the original poll. */
  readonly rehearsalOf?: string | undefined;
  /** Set while the presenter hides the figures from everybody but operators, whatever the poll’s visibility. */
  readonly curtain?: true | undefined;
  /** The version of its settings, from 1; absent for 1 in polls of earlier versions of Pollcast. */
  readonly version?: number | undefined;
  /** For each setting that was changed, the version that the last change made. */
  readonly changedIn?: Readonly<Record<string, number>> | undefined;
  /** The definition as its author wrote it, without the defaults of its kind; kept while the poll is a draft. */
  readonly draft?: Draft | undefined;
}

/** The poll with the record of one of its rounds instead of the current one; undefined if no record of that round is kept. */
export function pollInRound(poll: Poll, round: number): Poll | undefined {
  if (round === poll.round) return poll;
  const past = poll.pastRounds ?? [];
  const record = past[past.length - (poll.round - round)];
  if (round > poll.round || !record || record.isMerged) return undefined;
  return { ...poll, ...recordOf({ ...poll, ...NO_RECORD, ...record }), round, status: 'closed' };
}

/** The number of the poll’s first round; earlier rounds belong to deleted polls with the same id. */
export function firstRound({ retiredRounds = 0 }: Poll): number {
  return retiredRounds + 1;
}

/** True while a round is in progress, from its opening until its close markers are written. */
export function isUnderWay(status: Status): boolean {
  return status !== 'draft' && status !== 'closed';
}

/** True if the poll takes votes under pseudonyms, and this process does not have the key for them. */
export function lacksKey({ definition: { secrecy = 'named' }, status, pseudonymKey }: Poll): boolean {
  return secrecy !== 'named' && pseudonymKey === undefined && (status === 'open' || status === 'grace');
}

/** The version of the poll’s settings. It increases with each change of a setting, but not when a round opens or closes. */
export function versionOf({ version = 1 }: Poll): number {
  return version;
}

/** True while a closed round is about to go on. */
export function isContinuing({ status, interruptions = [] }: Poll): boolean {
  return status === 'opening' && interruptions.length > 0;
}

/**
 * The key of a stretch: the part of a round between an open marker and the next close marker. A round that was never continued
 * has one stretch, whose key is that of the round.
 */
export function stretchKey({ definition, round, interruptions = [] }: Poll): string {
  const key = roundKey(definition.poll, round);
  return interruptions.length === 0 ? key : `${key}/${interruptions.length}`;
}

/** True while only operators may know the question, because the poll has never been open. */
export function isUnpublished(poll: Poll): boolean {
  if (poll.status === 'draft') return true;
  return poll.status === 'opening' && poll.round === firstRound(poll) && !isContinuing(poll);
}

/**
 * The poll that a room’s vote topic currently refers to: the poll that is open or in its grace period, or else the poll that
 * was opened or continued last.
 */
export function currentInRoom(polls: Iterable<Poll>, room: string): Poll | undefined {
  let current: Poll | undefined;
  for (const poll of polls) {
    if (poll.definition.room !== room || poll.round === 0) continue;
    if (!current || rank(poll) > rank(current)) current = poll;
  }
  return current;
}

function rank(poll: Poll): number {
  const atMs = begunAtMs(poll) ?? 0;
  return poll.status === 'open' || poll.status === 'grace' ? atMs + Number.MAX_SAFE_INTEGER / 2 : atMs;
}
