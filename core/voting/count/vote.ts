import type { Choice } from './tally.ts';

/** What a voter sends to withdraw the ballot. */
export const WITHDRAW = '-';

/** The maximum size of a vote that is plain text, in bytes. The longest choice fits. */
export const MAX_TEXT_BYTES = 1_024;
/**
 * The maximum size of a vote in JSON or CBOR, in bytes. The longest choice fits with all other fields, even if each of its
 * characters is escaped.
 */
export const MAX_OBJECT_BYTES = 3_072;

/** One voter’s choice, as received in a message. The choice is canonical: it was validated against the poll. */
export interface Vote {
  /** The voter: a device, a mandate it carries (`<device>/<mandate>`), or the pseudonym of either. */
  readonly device: string;
  /** `WITHDRAWN` withdraws the ballot. */
  readonly choice: Choice;
  /** The device’s own sequence number. A vote with a lower number never replaces one with a higher number. */
  readonly n?: number | undefined;
  /** When the button was pressed, by the device’s own clock, in ms. It is stored, and used only for late votes. */
  readonly t?: number | undefined;
  /** The MQTT DUP flag: this may be a redelivery of an earlier packet. */
  readonly dup?: boolean | undefined;
  /** The number of the device’s connection. Later connections have higher numbers, even to another broker. */
  readonly connection?: number | undefined;
  /**
   * Identifies the packet that contained the vote: its MQTT packet id, and a hash of its topic and payload (`packetOf`). Only
   * for votes without a sequence number.
   */
  readonly packet?: number | undefined;
  /**
   * True if the device may be sending the packet again, even without DUP: it is among the first packets of its connection, and
   * the connection before was lost.
   */
  readonly mayRepeat?: boolean | undefined;
}
