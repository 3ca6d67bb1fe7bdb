import { Allowances } from '../../core/waiting/allowances.ts';

/** How many times as many connections as CONNECT packets per second one address may open at once. */
const BURST = 4;
/** One address may open so many at once, however few CONNECT packets it may send. */
const LEAST_AT_ONCE = 1_000;

/**
 * How many connections each address may open, so that opening and closing them again and again costs little: what is beyond that is
 * refused before anything is made for it. A client that is let in gives back what its connection took, so that a hall whose
 * devices all come back at once is not held up.
 */
export class Arrivals {
  private readonly allowances: Allowances | undefined;
  private readonly onRefused: () => void;

  /**
   * @param perSecond how many CONNECT packets a second are answered for one address; 0 if it does not matter
   * @param onRefused called for each connection that is refused
   */
  constructor(perSecond: number, onRefused: () => void) {
    this.onRefused = onRefused;
    const burst = Math.max(LEAST_AT_ONCE, perSecond * BURST);
    this.allowances = perSecond > 0 ? new Allowances({ burst, perSecond }) : undefined;
  }

  /** Whether a connection may be opened, which counts it. @param network undefined if the client is not known */
  mayArrive(network: string | undefined): boolean {
    if (network === undefined || !this.allowances || this.allowances.take(network) === 0) return true;
    this.onRefused();
    return false;
  }

  /** Call when a client was let in. */
  letIn(network: string | undefined): void {
    if (network !== undefined) this.allowances?.of(network, performance.now()).giveBack(1);
  }
}
