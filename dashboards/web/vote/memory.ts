import type { Question } from '../ballot/form.ts';

/** What became of a vote, as far as this phone knows. */
export type VoteState = 'queued' | 'sent' | 'accepted' | 'rejected' | 'unclear';

/** The last vote of this phone in a poll. */
export interface OwnVote {
  readonly poll: string;
  readonly round: number;
  readonly choice: string;
  /** Counts up with each vote of this phone: a redelivery has the same, and changes nothing. */
  readonly n: number;
  /** When it was pressed, by the server's clock as far as it is known, ms since 1970. */
  readonly t: number;
  readonly state: VoteState;
  /** It was on its way at least once: what the server made of it then may not be known. */
  readonly wasSent?: boolean;
  /** rejected: why. */
  readonly reason?: string;
}

/** What this phone votes with. */
export interface Credentials {
  readonly device: string;
  readonly password: string;
}

/** All that a phone keeps over reloads, sleep and dead Wi-Fi. */
export interface Memory {
  readonly credentials?: Credentials | undefined;
  /** What was asked last in the room that this phone was in: shown while there is no line. */
  readonly asked?: { readonly room: string; readonly question: Question } | undefined;
  /** How far the server's clock is ahead of this one, ms. */
  readonly skewMs?: number | undefined;
  /** The number of the last vote. */
  readonly n: number;
  /** The newest last; of more than so many polls the oldest go. */
  readonly votes: readonly OwnVote[];
}

const NAME = 'pollcast-voter';
const MAX_VOTES = 50;

let fallback: Memory = { n: 0, votes: [] };

/** What was kept; nothing at the first time, and in browsers that keep nothing. */
export function recall(): Memory {
  try {
    const text = localStorage.getItem(NAME);
    if (text === null) return fallback;
    const { credentials, asked, skewMs, n, votes } = JSON.parse(text);
    if (Number.isSafeInteger(n) && Array.isArray(votes)) return { credentials, asked, skewMs, n, votes };
  } catch {
    // Somebody else's text, or no right to look: as at the first time.
  }
  return fallback;
}

export function keep(memory: Memory): void {
  fallback = memory;
  try {
    localStorage.setItem(NAME, JSON.stringify(memory));
  } catch {
    // Then it is kept as long as the page is open.
  }
}

/** The memory with a vote put in, in place of the one in the same poll. */
export function withVote(memory: Memory, vote: OwnVote): Memory {
  const others = memory.votes.filter(({ poll }) => poll !== vote.poll);
  return { ...memory, n: Math.max(memory.n, vote.n), votes: [...others, vote].slice(-MAX_VOTES) };
}

/** The votes that are still to be delivered, the oldest first. */
export function undelivered({ votes }: Memory): OwnVote[] {
  return votes.filter(({ state }) => state === 'queued' || state === 'sent').sort((a, b) => a.n - b.n);
}
