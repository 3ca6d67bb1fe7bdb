/** One possible answer; devices send the short key, people read the label. */
export interface Option {
  readonly key: string;
  readonly label: string;
}

export type KindName = 'single' | 'multiple' | 'rating';

/** What becomes of a second vote by the same device: the last counts, or the first does. */
export type Revote = 'last' | 'first';

/** Who may see figures: everyone at any time, everyone once the round is final, or operators only. */
export type Visibility = 'live' | 'closed' | 'operator';

/** A question, its options and its rules. Immutable from the first opening on, but for `visibility`. */
export interface Definition {
  readonly poll: string;
  readonly room?: string | undefined;
  readonly title: string;
  readonly kind: KindName;
  readonly options: readonly Option[];
  readonly revote: Revote;
  readonly visibility: Visibility;
  /** multiple: the fewest options of a vote. rating: the lowest grade. */
  readonly min?: number | undefined;
  /** multiple: the most options of a vote. rating: the highest grade. */
  readonly max?: number | undefined;
}

/**
 * `draft` never opened · `opening` open markers are being written · `open` votes count ·
 * `closing` brokers refuse new votes and hand in what they accepted · `closed` close markers are written.
 */
export type Status = 'draft' | 'opening' | 'open' | 'closing' | 'closed';

/** When a round was opened and closed, ms since 1970. */
export interface RoundTimes {
  readonly openedAtMs?: number | undefined;
  readonly closedAtMs?: number | undefined;
}

/** A poll as it is kept: its definition and where it stands. Instants are milliseconds since 1970, UTC. */
export interface Poll extends RoundTimes {
  readonly definition: Definition;
  readonly status: Status;
  /** The current or latest round; 0 before the first opening. */
  readonly round: number;
  readonly createdAtMs: number;
  /** The rounds before the current one, oldest first. */
  readonly pastRounds?: readonly RoundTimes[] | undefined;
  /** Rounds of deleted polls of the same id; this poll's rounds come after them. */
  readonly retiredRounds?: number | undefined;
  /** Set when the poll was deleted: the id may be used again, with rounds that continue after this one. */
  readonly deleted?: boolean | undefined;
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
  return poll.status === 'open' ? openedAtMs + Number.MAX_SAFE_INTEGER / 2 : openedAtMs;
}
