/** How guests get in: `anyone`, those who know the room’s `code`, or each with a code of its own (`codes`). */
export const JOIN_BY = ['anyone', 'code', 'codes'] as const;
export type JoinBy = (typeof JOIN_BY)[number];

/** What is kept about the guests of a room. */
export interface GuestRoom {
  /** A random text for the current event; absent until the guests of the room are revoked for the first time. */
  readonly event?: string | undefined;
  readonly eventAtMs?: number | undefined;
  readonly joinBy?: JoinBy | undefined;
  /** The room’s code, for `joinBy: code`. */
  readonly code?: string | undefined;
  /** How many guests are expected from one address. */
  readonly expected?: number | undefined;
}
