import { Allowances } from '../../core/waiting/allowances.ts';

/** How many wrong secrets are answered at once, and how many a second from then on: of one address, and for one device. */
const OF_ADDRESS = { burst: 100, perSecond: 10 };
const OF_DEVICE = { burst: 10, perSecond: 1 };
/** Maximum time in ms for which the answer to a wrong secret is delayed. */
const MAX_DELAY_MS = 5_000;

/**
 * Slows down clients that try secrets. Only the answers to wrong ones are delayed, and every secret is checked, so that nobody who
 * guesses can keep a device out that knows its secret: neither from elsewhere, nor from its own address.
 */
export class Guesses {
  private readonly ofAddress = new Allowances(OF_ADDRESS);
  private readonly ofDevice = new Allowances(OF_DEVICE);

  /**
   * Call with each wrong secret.
   *
   * @returns after how many ms it may be answered; undefined if there are too many, so that it is refused at once
   */
  delayOf(network: string | undefined, device: string, nowMs: number): number | undefined {
    const allowances = [
      this.ofDevice.of(device, nowMs),
      ...(network === undefined ? [] : [this.ofAddress.of(network, nowMs)]),
    ];
    const delayMs = Math.max(...allowances.map((allowance) => allowance.take(1, nowMs)));
    if (delayMs <= MAX_DELAY_MS) return delayMs;
    for (const allowance of allowances) allowance.giveBack(1);
    return undefined;
  }
}
