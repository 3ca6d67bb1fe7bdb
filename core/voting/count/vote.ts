import type { Choice } from './tally.ts';

/** What a voter sends to withdraw the ballot. */
export const WITHDRAW = '-';

/** One voter’s choice, as received in a message. The choice is canonical: it was validated against the poll. */
export interface Vote {
  /** The voter: a device, a mandate it carries (`<device>/<mandate>`), or the pseudonym of either. */
  readonly device: string;
  /** `WITHDRAWN` withdraws the ballot. */
  readonly choice: Choice;
  /** The device’s own sequence number. A vote with a lower number never replaces one with a higher number. */
  readonly n?: number | undefined;
  /** When the button was pressed, by the device’s own clock, in ms. It is stored, but never used for counting. */
  readonly t?: number | undefined;
  /** The MQTT DUP flag: this may be a redelivery of an earlier packet. */
  readonly dup?: boolean | undefined;
  /** The number of the device’s connection. Later connections have higher numbers, even to another broker. */
  readonly connection?: number | undefined;
}
