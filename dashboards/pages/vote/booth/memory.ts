import type { Question } from '../../ballot/form.ts';

/** The state of a vote, as far as this phone knows. */
export type VoteState = 'queued' | 'sent' | 'accepted' | 'rejected' | 'unclear';

/** The last vote of this phone in a poll. */
export interface OwnVote {
  readonly poll: string;
  readonly round: number;
  readonly choice: string;
  /** Incremented with each vote of this phone. A redelivery has the same number, so it is not counted again. */
  readonly n: number;
  /** When the vote was cast, in ms since 1970, by the server's clock if the clock difference is known. */
  readonly t: number;
  readonly state: VoteState;
  /** Whether the vote was sent at least once, so that it may have been counted. */
  readonly wasSent?: boolean;
  /** Whether only counting decides if the vote counts, according to its receipt. */
  readonly isUndecided?: boolean;
  /** Why the vote was rejected. */
  readonly reason?: string;
}

/** The credentials with which this phone votes. */
export interface Credentials {
  readonly device: string;
  readonly password: string;
  /** The room in which they are valid; absent in those that an earlier version has stored. */
  readonly room?: string | undefined;
}

/** What a phone remembers across reloads, sleep and lost Wi-Fi. */
export interface Memory {
  readonly credentials?: Credentials | undefined;
  /** Those for other rooms, the newest last. */
  readonly others?: readonly Credentials[] | undefined;
  /** The last join code that was accepted or given, and its room. */
  readonly code?: { readonly room: string; readonly code: string } | undefined;
  /** The last question that this phone received, and its room; shown while offline. */
  readonly last?: { readonly room: string; readonly question: Question } | undefined;
  /** How many ms the server's clock is ahead of this device's clock. */
  readonly skewMs?: number | undefined;
  /** The number of the last vote. */
  readonly n: number;
  /** One vote per poll, the newest last. If there are more than `MAX_VOTES`, the oldest are dropped. */
  readonly votes: readonly OwnVote[];
}

const NAME = 'pollcast-voter';
const MAX_VOTES = 50;
/** How many other rooms are remembered. */
const MAX_OTHERS = 10;

let fallback: Memory = { n: 0, votes: [] };

/** The stored memory; empty on the first visit, and in browsers without storage. */
export function recall(): Memory {
  try {
    const text = localStorage.getItem(NAME);
    if (text === null) return fallback;
    // Version 0.1.0 stored the last question as `asked`.
    const { credentials, others, code, asked, last = asked, skewMs, n, votes } = JSON.parse(text);
    if (Number.isSafeInteger(n) && Array.isArray(votes)) return { credentials, others, code, last, skewMs, n, votes };
  } catch {
    // The entry is invalid, or storage is blocked.
  }
  return fallback;
}

export function keep(memory: Memory): void {
  fallback = memory;
  try {
    localStorage.setItem(NAME, JSON.stringify(memory));
  } catch {
    // If storage is blocked or full, the memory lasts until the page is closed.
  }
}

/** The memory of a phone that enters a room: with the credentials for it, if there are any. */
export function inRoom(memory: Memory, room: string): Memory {
  const { credentials, others = [] } = memory;
  if (credentials === undefined || (credentials.room ?? room) === room) return memory;
  const kept = [...others.filter((one) => one.room !== room), credentials].slice(-MAX_OTHERS);
  return { ...memory, credentials: others.find((one) => one.room === room), others: kept };
}

/** The memory with this vote, which replaces an earlier one in the same poll. */
export function withVote(memory: Memory, vote: OwnVote): Memory {
  const others = memory.votes.filter(({ poll }) => poll !== vote.poll);
  return { ...memory, n: Math.max(memory.n, vote.n), votes: [...others, vote].slice(-MAX_VOTES) };
}

/** The votes still to be delivered, oldest first. */
export function undelivered({ votes }: Memory): OwnVote[] {
  return votes.filter(({ state }) => state === 'queued' || state === 'sent').sort((a, b) => a.n - b.n);
}
