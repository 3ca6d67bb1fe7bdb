/** The API’s responses about devices. */

import type { Mandate } from '../core/voting/poll/electorate.ts';

/** A registered device. */
export interface DeviceAnswer {
  readonly device: string;
  readonly label: string | null;
  readonly group: string | null;
  readonly weight: string;
  readonly mandates: readonly Mandate[];
  readonly lentTo: string | null;
  readonly lentAt: string | null;
  readonly createdAt: string | null;
  /** The last status exactly as the device published it, for example its battery, signal and firmware. */
  readonly status: unknown;
  readonly statusAt: string | null;
  readonly seenAt: string | null;
  /** Until when the old secret works while a new one has not been used; null if there is only one. */
  readonly oldSecretUntil: string | null;
  /** The claim code that can be exchanged for a secret, and until when; null without one. */
  readonly claim: { readonly expiresAt: string | null } | null;
  /** When a claim code was last exchanged for a secret; null if none was. */
  readonly claimedAt: string | null;
}

/** A newly registered device. This is the only response that contains its secret. */
export interface RegisteredDevice {
  readonly device: string;
  readonly label?: string | undefined;
  readonly secret: string;
}

/** A new secret for a device that has one already. */
export interface RenewedSecret extends RegisteredDevice {
  /** Until when the old secret works if the new one is not used before; null: it has ended. */
  readonly oldSecretUntil: string | null;
}

/** A claim code, which is shown only once. */
export interface ClaimAnswer {
  readonly device: string;
  readonly label: string | null;
  /** In three groups: `7K2M-Q9XD-4TBN`. */
  readonly code: string;
  readonly expiresAt: string | null;
}

/** Why something was not done, or may not have been done, for one of several devices. */
export interface RefusedDevice {
  readonly device: string;
  /**
   * Such as `no-such-device`. If the store failed while devices were changed: `unknown` if this one may have been changed, and
   * `not-begun` or `store-refuses` if it certainly was not.
   */
  readonly code: string;
  readonly why: string;
}

/** Claim codes that were issued together. */
export interface ClaimsAnswer {
  readonly claims: readonly ClaimAnswer[];
  readonly refused: readonly RefusedDevice[];
}

/** Secrets that were renewed together. */
export interface RenewedSecrets {
  readonly secrets: readonly RenewedSecret[];
  readonly refused: readonly RefusedDevice[];
}

/** Claim codes that were withdrawn together. */
export interface WithdrawnClaims {
  readonly withdrawn: readonly string[];
  /** Devices that had no code. */
  readonly none: readonly string[];
  readonly refused: readonly RefusedDevice[];
}

/** Which devices were revoked together. */
export interface RevokedAnswer {
  readonly revoked: readonly string[];
  /** Ids that were not registered. */
  readonly unknown: readonly string[];
  /** Devices that may not have been revoked, because the store failed; absent if there are none. */
  readonly refused?: readonly RefusedDevice[] | undefined;
}

/** What an import does with a device: the fields that change, as people read them; null if a field is not set. */
export interface ImportedDevice {
  readonly device: string;
  readonly changes: readonly {
    readonly field: 'label' | 'group' | 'weight' | 'mandates';
    readonly from: string | null;
    readonly to: string | null;
  }[];
}

/** What an import has done or, in a dry run, would do. */
export interface ImportAnswer {
  readonly dryRun: boolean;
  /** The new devices with their secrets; empty in a dry run. */
  readonly devices: readonly RegisteredDevice[];
  /** Devices that were already registered, whether or not they change. */
  readonly existing: readonly string[];
  readonly added: readonly ImportedDevice[];
  readonly changed: readonly ImportedDevice[];
  readonly unchanged: readonly string[];
  /** How a CSV file was read; null for JSON. */
  readonly table: {
    readonly encoding: string;
    readonly separator: string;
    /** Columns that are not known, and were ignored. */
    readonly ignoredColumns: readonly string[];
  } | null;
}

/** The last events of a device’s connections, oldest first. They never say what was voted. */
export interface TraceAnswer {
  readonly device: string;
  readonly events: readonly {
    readonly at: string;
    readonly what: 'connected' | 'refused' | 'subscribed' | 'voted' | 'disconnected';
    /** Why, to which topic, or in which poll and with which outcome. */
    readonly detail: string | null;
    /** How many equal events in a row this stands for. */
    readonly times: number;
  }[];
}
