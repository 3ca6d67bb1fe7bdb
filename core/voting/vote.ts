import type { Choice } from './tally.ts';

/** One message: a device chooses. The choice is canonical: checked against the poll before it got here. */
export interface Vote {
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

/** The choice of a device that counts now. */
export interface Ballot {
  readonly choice: Choice;
  readonly n?: number | undefined;
  readonly connection?: number | undefined;
  /** When the broker logged it, ms since 1970. */
  readonly atMs: number;
}
