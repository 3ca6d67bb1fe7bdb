import { NONE } from '../../core/voting/count/entries/columns.ts';
import { packetOf } from '../../core/voting/count/packet.ts';
import type { Vote } from '../../core/voting/count/vote.ts';
import type { Elector } from '../../core/voting/poll/electorate.ts';
import type { DeviceTopic } from '../../core/voting/rules/topics.ts';
import type { Pending } from '../connection/acknowledgements.ts';
import type { Receipt } from '../outbound/receipts.ts';

/** Learns what became of the messages that it sent. */
export interface Sender {
  /** Called once for each message, with the receipt, and with an error if the votes in it may not have been stored. */
  settled(pending: Pending, receipt: Receipt, error: Error | undefined): void;
}

const NOBODY: Elector = { device: '', isRegistered: false, isGuest: false };
const NO_SENDER: Sender = { settled: () => {} };
const NO_PAYLOAD = Buffer.alloc(0);

/**
 * A message with votes, while it is taken in. There is one in each intake, which is used for every message, because an object
 * for each would be garbage. Numbers that a message does not have are `NONE`.
 */
export class Message {
  device = '';
  /** What is known about the device. */
  elector = NOBODY;
  topic: Extract<DeviceTopic, { to: 'poll' | 'room' }> | undefined;
  payload: Buffer = NO_PAYLOAD;
  dup = false;
  retain = false;
  /** The number of the device's connection; see `Claim`. */
  connection = NONE;
  /** The two parts of what identifies the packet; see `Vote.packet`. */
  packetId = NONE;
  packetHash = 0;
  /** See `Vote.mayRepeat`. */
  mayRepeat = false;
  /** True if there is reason to assume that the packet is sent again. */
  isKnownToRepeat = false;
  /** True if the device sends more votes than it may. */
  isTooFast = false;
  /** Hears of the outcome, and knows the message by `pending`. */
  sender = NO_SENDER;
  pending: Pending = 0;

  /** What the message says, once it has been checked. The same for all of its votes. */
  n = NONE;
  t = NONE;
  /** Whom the votes are for, and what they are. */
  readonly voters: string[] = [];
  readonly choices: string[] = [];
  /** The voters of the device that may not vote in the poll; nothing was cast for them. */
  without: readonly string[] | undefined;

  /** Forgets what the message before said. */
  reset(): void {
    this.n = NONE;
    this.t = NONE;
    this.voters.length = 0;
    this.choices.length = 0;
    this.without = undefined;
  }

  add(voter: string, choice: string): void {
    this.voters.push(voter);
    this.choices.push(choice);
  }

  /** The votes as objects. */
  votes(): Vote[] {
    const some = (value: number) => (value === NONE ? undefined : value);
    const packet = this.packetId === NONE ? undefined : packetOf(this.packetId, this.packetHash);
    return this.voters.map((device, i) => ({
      device,
      choice: this.choices[i] as string,
      n: some(this.n),
      t: some(this.t),
      dup: this.dup,
      connection: some(this.connection),
      packet,
      mayRepeat: this.mayRepeat,
    }));
  }
}

/** Stands in for the sender of a message that contains several votes: it is settled once all of them are. */
export class Together implements Sender {
  private readonly sender: Sender;
  private open: number;
  private failure: Error | undefined;

  constructor(sender: Sender, votes: number) {
    this.sender = sender;
    this.open = votes;
  }

  settled(pending: Pending, receipt: Receipt, error: Error | undefined): void {
    this.failure ??= error;
    if (--this.open === 0) this.sender.settled(pending, receipt, this.failure);
  }
}
