import type { Choice } from './tally.ts';

/**
 * One message: a voter chooses. The choice is canonical: checked against the poll before it got here. An empty one takes the
 * ballot back.
 */
export interface Vote {
  /** Who votes: a device, a mandate it carries (`<device>/<mandate>`), or the pseudonym of either. */
  readonly device: string;
  readonly choice: Choice;
  /** The device's own sequence number; a lower one never overrides a higher one. */
  readonly n?: number | undefined;
  /** When the button was pressed by the device's own clock, in ms; kept, never compared. */
  readonly t?: number | undefined;
  /** The MQTT DUP flag: the device sends this packet again. */
  readonly dup?: boolean | undefined;
  /** Which connection of the device it came by: a later one has a higher number, whatever broker it is to. */
  readonly connection?: number | undefined;
}

/** The choice of a voter that counts now. */
export interface Ballot {
  /** Empty: taken back; what else is kept of it still tells old votes from new ones. */
  readonly choice: Choice;
  readonly n?: number | undefined;
  readonly connection?: number | undefined;
  /** When the broker logged it, ms since 1970. */
  readonly atMs: number;
  /** How many of the voter's votes counted so far, where the poll limits that. */
  readonly votes?: number | undefined;
}
