import type { Client } from 'aedes';
import { generate } from 'mqtt-packet';
import type { Reason } from '../../core/voting/rules/rejection.ts';
import { receiptTopic } from '../../core/voting/rules/topics.ts';

/** The outcome of a message that has been logged as a vote or as a rejection. */
export interface Receipt {
  /** The poll that the message was meant for; `-` if unknown. */
  readonly poll: string;
  /** Why the message was rejected; absent if it was accepted. */
  readonly rejected?: Reason | undefined;
  /** Voters of the device that may not vote in the poll, although the message was accepted for others. */
  readonly without?: readonly string[] | undefined;
}

/** The maximum number of voters that a receipt names. */
const MAX_NAMED = 20;

/** The subscriptions of a client by topic, which Aedes’s types leave out. */
interface Subscriber {
  readonly subscriptions: Readonly<Record<string, unknown>>;
}

/**
 * Sends a device the receipt for its vote, if it has subscribed to its receipts. The receipt is only for this device, so it is
 * written directly to the connection at QoS 0. It is dropped if the connection is congested.
 */
export function sendReceipt(client: Client, { poll, rejected, without = [] }: Receipt): void {
  const topic = receiptTopic(client.id);
  const { subscriptions } = client as Client & Subscriber;
  if (subscriptions[topic] === undefined || client.closed || client.conn.writableNeedDrain) return;
  const named = without.length === 0 ? '' : ` without ${without.slice(0, MAX_NAMED).join(' ')}`;
  const payload = rejected ? `rejected ${poll} ${rejected}` : `accepted ${poll}${named}`;
  client.conn.write(generate({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false }));
}
