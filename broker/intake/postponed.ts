import { StoreError } from '../../core/store/error.ts';
import type { Pending } from '../connection/acknowledgements.ts';
import type { BrokerMetrics } from '../metrics.ts';
import type { Receipt } from '../outbound/receipts.ts';
import type { Sender } from './message.ts';

/** For how long (ms) such votes wait. If their connections were closed at once, devices would come back at once. */
const WAIT_MS = 1_000;

/** This broker cannot take a vote at the moment. The message is for devices, too. */
export class TryAgain extends StoreError {}

const NO_KEY = new TryAgain('the key of this secret round is missing here; send the vote again');

interface Waiting {
  readonly sender: Sender;
  readonly pending: Pending;
  readonly receipt: Receipt;
  readonly untilMs: number;
}

/**
 * Votes in secret rounds whose key this broker does not have, but another process may have: they would be stored under the names of
 * their voters. They are not rejected, because nothing is wrong with them, but fail after a moment, and devices send them again, to
 * another broker, because this one is not ready. How many wait is limited by what may be in flight.
 */
export class Postponed {
  private readonly metrics: BrokerMetrics;
  /** In the order in which they end. */
  private waiting: Waiting[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(metrics: BrokerMetrics) {
    this.metrics = metrics;
  }

  add(poll: string, sender: Sender, pending: Pending): void {
    const untilMs = performance.now() + WAIT_MS;
    if (this.waiting.push({ sender, pending, receipt: { poll }, untilMs }) === 1) this.wakeAt(untilMs);
  }

  /** Ends all at once. */
  endAll(): void {
    clearTimeout(this.timer);
    this.end(Number.POSITIVE_INFINITY);
  }

  private wakeAt(untilMs: number): void {
    this.timer = setTimeout(() => this.end(performance.now()), Math.max(1, untilMs - performance.now())).unref();
  }

  private end(nowMs: number): void {
    const first = this.waiting.findIndex(({ untilMs }) => untilMs > nowMs);
    const ended = this.waiting.splice(0, first < 0 ? this.waiting.length : first);
    const [next] = this.waiting;
    if (next) this.wakeAt(next.untilMs);
    this.metrics.failed.inc(ended.length);
    for (const { sender, pending, receipt } of ended) sender.settled(pending, receipt, NO_KEY);
  }
}
