import type { Elector, Mandate } from '../voting/electorate.ts';

/** A registered voting terminal. Its secret is kept as a hash only. */
export interface Device {
  readonly device: string;
  /** What people call it: "seat 14", "red clicker". */
  readonly label?: string | undefined;
  /** An id that many devices share: a team, a chamber, a row of seats. */
  readonly group?: string | undefined;
  /** What its vote weighs, where a poll asks for that: a number as text; absent: 1; `0`: it only carries mandates. */
  readonly weight?: string | undefined;
  /** Votes that it casts for others. */
  readonly mandates?: readonly Mandate[] | undefined;
  /** Who has it now, where devices are lent out, and since when. */
  readonly lentTo?: string | undefined;
  readonly lentAtMs?: number | undefined;
  readonly salt: string;
  readonly hash: string;
  readonly createdAtMs: number;
}

/** The last status a device published, as it came, and when; and when it was last seen to come or go. */
export interface DeviceStatus {
  readonly status?: unknown;
  readonly atMs?: number | undefined;
  readonly seenAtMs?: number | undefined;
}

/** What polls may ask of a registered device. */
export function electorOf({ device, weight, group, mandates }: Device): Elector {
  return { device, isRegistered: true, isGuest: false, weight, group, mandates };
}
