import { WITHDRAW } from '../../../../core/voting/count/vote.ts';
import type { Question } from '../../ballot/form.ts';
import type { Outbox, OwnVote, Voter } from './outbox.ts';

/** The credentials with which this phone votes. */
export interface Credentials extends Voter {
  readonly password: string;
}

/** What a phone remembers across reloads, sleep and lost Wi-Fi. */
export interface Memory extends Outbox {
  readonly credentials?: Credentials | undefined;
  /** Those for other rooms, the newest last. */
  readonly others?: readonly Credentials[] | undefined;
  /** The last join code that was accepted or given, and its room. */
  readonly code?: { readonly room: string; readonly code: string } | undefined;
  /** The last question that this phone received, and its room; shown while offline. */
  readonly last?: { readonly room: string; readonly question: Question } | undefined;
  /** How many ms the server's clock is ahead of this device's clock. */
  readonly skewMs?: number | undefined;
}

const NAME = 'pollcast-voter';
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
    if (Number.isSafeInteger(n) && Array.isArray(votes)) {
      return { credentials, others, code, last, skewMs, n, votes: votes.map((vote) => withDevice(vote, credentials)) };
    }
  } catch {
    // The entry is invalid, or storage is blocked.
  }
  return fallback;
}

/** A vote that may have been stored by an earlier version, which did not store as which guest a vote was sent. */
function withDevice(vote: OwnVote, credentials: Credentials | undefined): OwnVote {
  return vote.wasSent && vote.device === undefined ? { ...vote, device: credentials?.device } : vote;
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

/** Whether only those who have voted may see the result, and this phone has voted. */
export function isVoterOf({ votes }: Memory, { poll, round, visibility }: Question): boolean {
  const own = votes.find((vote) => vote.poll === poll && vote.round === round);
  return visibility === 'voted' && own?.state === 'accepted' && own.choice !== WITHDRAW;
}
