import type { Qos } from './device.ts';

/** The choices that one device sent, in order, and how many of its votes were acknowledged. */
interface Account {
  readonly qos: Qos;
  readonly sent: string[];
  acknowledged: number;
}

/** The possible ballots of a device (`null`: no ballot). There are several at QoS 0 and while an acknowledgement is missing. */
export type Expectation = readonly (string | null)[];

/**
 * Records which choices devices sent, and which of these the broker acknowledged. The expected count follows from this record
 * alone, independently of the system under test.
 */
export class Ledger {
  private readonly accounts = new Map<string, Account>();
  /** The maximum number of votes accepted from a device. Each accepted vote replaces the previous one. */
  private readonly most: number;

  /** @param revote the poll’s rule for repeated votes by the same device */
  constructor(revote: string) {
    if (revote === 'last') this.most = Number.POSITIVE_INFINITY;
    else this.most = revote === 'first' ? 1 : Number(revote.replace('max ', ''));
  }

  sending(device: string, qos: Qos, choice: string): void {
    const account = this.accounts.get(device) ?? { qos, sent: [], acknowledged: 0 };
    this.accounts.set(device, account);
    account.sent.push(choice);
  }

  /** Records that the device’s oldest unacknowledged vote was acknowledged. */
  acknowledged(device: string): void {
    const account = this.accounts.get(device);
    if (!account || account.acknowledged === account.sent.length)
      throw new Error(`${device}: acknowledgement without a vote`);
    account.acknowledged++;
  }

  get devices(): string[] {
    return [...this.accounts.keys()];
  }

  /** The numbers of votes sent, acknowledged, and still open. Votes at QoS 0 are never acknowledged. */
  get totals(): { sent: number; acknowledged: number; open: number } {
    let sent = 0;
    let acknowledged = 0;
    for (const account of this.accounts.values()) {
      sent += account.sent.length;
      if (account.qos > 0) acknowledged += account.acknowledged;
    }
    return { sent, acknowledged, open: sent - acknowledged };
  }

  /** The ballots that the device may have now. */
  expected(device: string): Expectation {
    const account = this.accounts.get(device);
    if (!account) return [null];
    const { qos, sent, acknowledged } = account;
    // At QoS 0, any vote may have been lost, so the ballot may be any of these votes, or there may be no ballot.
    if (qos === 0) return [null, ...sent];
    const counting = sent.slice(0, this.most);
    const certain = acknowledged > 0 ? (counting[Math.min(acknowledged, counting.length) - 1] as string) : null;
    return [certain, ...counting.slice(acknowledged)];
  }

  /** The number of devices expected for each choice; devices with several possible ballots are left out. */
  tally(): Map<string, number> {
    const tally = new Map<string, number>();
    for (const device of this.accounts.keys()) {
      const [choice, ...others] = this.expected(device);
      if (others.length > 0 || choice === null || choice === undefined) continue;
      tally.set(choice, (tally.get(choice) ?? 0) + 1);
    }
    return tally;
  }
}
