/** The state of a vote, as far as this phone knows. */
export type VoteState = 'queued' | 'sent' | 'accepted' | 'rejected' | 'unclear';

/** The last vote of this phone in a poll. */
export interface OwnVote {
  readonly poll: string;
  readonly round: number;
  /** The room in which the vote was cast; absent in those that an earlier version has stored. */
  readonly room?: string | undefined;
  /** The guest as which the vote was sent; absent if it was never sent. */
  readonly device?: string | undefined;
  readonly choice: string;
  /** Higher with each vote of a guest. A redelivery has the same number, so it is not counted again. */
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

/** The guest as which this phone votes. */
export interface Voter {
  readonly device: string;
  /** The room in which it votes; absent in what an earlier version has stored. */
  readonly room?: string | undefined;
}

/** The votes of this phone, as far as it remembers them. */
export interface Outbox {
  readonly credentials?: Voter | undefined;
  /** The highest number of a vote. */
  readonly n: number;
  /** One vote per poll, the newest last. If there are more than `MAX_VOTES`, the oldest are dropped. */
  readonly votes: readonly OwnVote[];
}

const MAX_VOTES = 50;
/** The numbers of votes are tenths of seconds since this time, in ms since 1970. */
const NUMBERS_FROM_MS = Date.UTC(2026, 0, 1);
const NUMBER_MS = 100;

/**
 * The memory of a phone that has joined a room. Votes there that were sent as another guest may have been counted, so they are given
 * up: sent again, they would be the second votes of one person.
 */
export function joined<Kept extends Outbox>(memory: Kept, credentials: NonNullable<Kept['credentials']>): Kept {
  const votes = memory.votes.map((vote) =>
    isOfRoom(vote, credentials.room) && isWaiting(vote) && isOfOther(vote, credentials)
      ? { ...vote, state: 'unclear' as const }
      : vote,
  );
  return { ...memory, credentials, votes };
}

/** The memory with this vote, which replaces an earlier one in the same poll. */
export function withVote<Kept extends Outbox>(memory: Kept, vote: OwnVote): Kept {
  const others = memory.votes.filter(({ poll }) => poll !== vote.poll);
  return { ...memory, n: Math.max(memory.n, vote.n), votes: [...others, vote].slice(-MAX_VOTES) };
}

/**
 * The number of the next vote. It follows the clock, because the same guest may also vote on another phone, with the same join code;
 * only the newest of all these votes counts. Where ballots are pseudonymous, the broker adds up to 2^40, so the number is small: one
 * of the size of a time in ms would tell phones from other devices.
 *
 * @param t when the vote is cast, as in `OwnVote`
 */
export function nextNumber({ n }: Outbox, t: number): number {
  return Math.max(n + 1, Math.floor((t - NUMBERS_FROM_MS) / NUMBER_MS));
}

/** The votes still to be delivered in a room, oldest first. In other rooms, the phone is another guest. */
export function undelivered({ votes, credentials }: Outbox, room: string): OwnVote[] {
  return votes
    .filter((vote) => isOfRoom(vote, room) && isWaiting(vote) && !isOfOther(vote, credentials))
    .sort((a, b) => a.n - b.n);
}

/** Whether it is still to be found out what became of a vote: not if the voter has cast a newer one, or if it was given up. */
export function isExpected({ votes }: Outbox, { poll, n }: OwnVote): boolean {
  const current = votes.find((vote) => vote.poll === poll);
  return current?.n === n && current.state !== 'unclear';
}

/** The vote after an attempt to deliver it. @param vote as it was before this attempt */
export function withOutcome(vote: OwnVote, state: VoteState, reason?: string): OwnVote {
  const { reason: _, ...plain } = vote;
  // An earlier attempt may have been counted before the poll closed; there is no way to know.
  const isUnclear = state === 'rejected' && vote.wasSent === true && (reason === 'closed' || reason === 'not-open');
  return { ...plain, state: isUnclear ? 'unclear' : state, ...(reason === undefined ? {} : { reason }) };
}

const isWaiting = ({ state }: OwnVote): boolean => state === 'queued' || state === 'sent';
const isOfRoom = (vote: OwnVote, room: string | undefined): boolean => (vote.room ?? room) === room;
/** Whether a vote was sent as another guest than the one that this phone votes as now. */
const isOfOther = ({ device }: OwnVote, credentials: Voter | undefined): boolean =>
  device !== undefined && device !== credentials?.device;
