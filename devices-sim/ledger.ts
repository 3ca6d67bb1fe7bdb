import type { Qos } from './device.ts';

/** What one device did: the votes it sent, in order, and how many of them were acknowledged. */
interface Account {
  readonly qos: Qos;
  readonly sent: string[];
  acknowledged: number;
}

/** What a device's ballot may be; `null` stands for none. More than one only while an acknowledgement is missing. */
export type Expectation = readonly (string | null)[];

/**
 * Knows the right answer: which choices devices sent, and which the broker acknowledged. From that alone follows what
 * must be counted, without a look into the system under test.
 */
export class Ledger {
  private readonly accounts = new Map<string, Account>();
  /** How many votes of a device count, one after the other. */
  private readonly most: number;

  /** @param revote the poll's rule for a second vote by the same device */
  constructor(revote: string) {
    if (revote === 'last') this.most = Number.POSITIVE_INFINITY;
    else this.most = revote === 'first' ? 1 : Number(revote.replace('max ', ''));
  }

  sending(device: string, qos: Qos, choice: string): void {
    const account = this.accounts.get(device) ?? { qos, sent: [], acknowledged: 0 };
    this.accounts.set(device, account);
    account.sent.push(choice);
  }

  /** The device's oldest vote that was not acknowledged is now. */
  acknowledged(device: string): void {
    const account = this.accounts.get(device);
    if (!account || account.acknowledged === account.sent.length) throw new Error(`${device}: nothing was sent`);
    account.acknowledged++;
  }

  get devices(): string[] {
    return [...this.accounts.keys()];
  }

  /** Votes sent that were acknowledged; at QoS 0 nothing ever is. */
  get totals(): { sent: number; acknowledged: number; open: number } {
    let sent = 0;
    let acknowledged = 0;
    for (const account of this.accounts.values()) {
      sent += account.sent.length;
      if (account.qos > 0) acknowledged += account.acknowledged;
    }
    return { sent, acknowledged, open: sent - acknowledged };
  }

  /** The ballots that a device may have now. */
  expected(device: string): Expectation {
    const account = this.accounts.get(device);
    if (!account) return [null];
    const { qos, sent, acknowledged } = account;
    // At QoS 0 any vote may have been lost, so any of them may be the one that counts, or none.
    if (qos === 0) return [null, ...sent];
    const counting = sent.slice(0, this.most);
    const certain = acknowledged > 0 ? (counting[Math.min(acknowledged, counting.length) - 1] as string) : null;
    return [certain, ...counting.slice(acknowledged)];
  }

  /** Choice → how many devices must have it, over the devices of which that is certain. */
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
