import type { Choice } from './tally.ts';

/** The choice that withdraws a ballot, as written to the log and to stores. */
export const WITHDRAWN: Choice = '';

/** A voter’s current ballot. */
export interface Ballot {
  /** `WITHDRAWN` if the ballot was withdrawn; the other fields are kept to detect redelivered votes. */
  readonly choice: Choice;
  readonly n?: number | undefined;
  readonly connection?: number | undefined;
  /**
   * When the voter gave this answer, in ms since 1970: when the broker logged the first of the votes in a row with this choice,
   * or, if that vote was late, when the device says that it was pressed.
   */
  readonly atMs: number;
  /** How many votes the voter has used; only in polls that limit the number. */
  readonly votes?: number | undefined;
  /** The packets of the voter’s latest votes over `connection`, the newest last, to recognise a packet that is sent again. */
  readonly packets?: readonly number[] | undefined;
}

/** A ballot as earlier versions stored it: unset fields at the end are left out. */
export type StoredBallot = [
  choice: Choice,
  atMs: number,
  n?: number | null,
  connection?: number | null,
  votes?: number | null,
  ...packets: number[],
];

/** The ballot that an earlier version stored. */
export function unpackBallot([choice, atMs, n, connection, votes, ...packets]: StoredBallot): Ballot {
  const ballot = { choice, atMs, n: n ?? undefined, connection: connection ?? undefined, votes: votes ?? undefined };
  return packets.length > 0 ? { ...ballot, packets } : ballot;
}
