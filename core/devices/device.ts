import type { Elector, Mandate } from '../voting/poll/electorate.ts';

/** A registered voting terminal. Only a hash of its secret is stored. */
export interface Device {
  readonly device: string;
  /** What people call the device: "seat 14", "red clicker". */
  readonly label?: string | undefined;
  /** An id shared by several devices: a team, a chamber, a row of seats. */
  readonly group?: string | undefined;
  /** The weight of the device’s vote in weighted polls, as text; 1 by default, `0` if the device only carries mandates. */
  readonly weight?: string | undefined;
  /** The votes that the device casts on behalf of others. */
  readonly mandates?: readonly Mandate[] | undefined;
  /** Who has borrowed the device. */
  readonly lentTo?: string | undefined;
  readonly lentAtMs?: number | undefined;
  readonly salt: string;
  readonly hash: string;
  /** The secret that replaces the current one when it is first used. */
  readonly next?: NextSecret | undefined;
  /** The code that can be exchanged for a secret. */
  readonly claim?: Claim | undefined;
  /** When a code was last exchanged for a secret. */
  readonly claimedAtMs?: number | undefined;
  readonly createdAtMs: number;
}

/** A secret that has been issued, but not used yet. */
interface NextSecret {
  readonly salt: string;
  readonly hash: string;
  /** Until when the current secret works if this one is not used, in ms since 1970. */
  readonly untilMs: number;
}

/** A claim code, of which only a hash is stored. */
interface Claim {
  readonly handle: string;
  readonly salt: string;
  readonly hash: string;
  /** In ms since 1970; undefined if it does not expire. */
  readonly untilMs?: number | undefined;
}

/** The maximum length of a label, in characters. */
export const MAX_LABEL_LENGTH = 100;
/** The maximum number of mandates that a device may carry. */
export const MAX_MANDATES = 100;

/** The last known status of a device. */
export interface DeviceStatus {
  /** The status as the device published it. */
  readonly status?: unknown;
  /** When `status` was received. */
  readonly atMs?: number | undefined;
  /** When the device last connected, disconnected or published a status. */
  readonly seenAtMs?: number | undefined;
}

/** What polls need to know about a registered device. */
export function electorOf({ device, weight, group, mandates }: Device): Elector {
  return { device, isRegistered: true, isGuest: false, weight, group, mandates };
}

/** A device with another secret, which every other secret and every code makes way for. */
export function withSecret(device: Device, { salt, hash }: Pick<Device, 'salt' | 'hash'>): Device {
  return { ...device, salt, hash, next: undefined, claim: undefined };
}

/**
 * Identifies a registration. It stays the same when the device is changed, and differs from that of an earlier or later device
 * with the same id, and from that with another secret, because every secret has a new salt.
 */
export function registrationOf({ salt }: Device): string {
  return salt;
}
