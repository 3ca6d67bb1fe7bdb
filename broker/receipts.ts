import type { Client } from 'aedes';
import { generate } from 'mqtt-packet';
import { receiptTopic } from '../core/voting/topics.ts';
import type { Verdict } from './intake.ts';

/**
 * Tells a device what became of its vote, if it subscribed to its receipts. Written straight to its connection, at
 * QoS 0: a receipt is for this device alone, and one that finds the line busy is not worth keeping.
 */
export function sendReceipt(client: Client, { poll, rejected }: Verdict): void {
  const topic = receiptTopic(client.id);
  const { subscriptions } = client as unknown as { subscriptions: Record<string, unknown> };
  if (subscriptions[topic] === undefined || client.closed || client.conn.writableNeedDrain) return;
  const payload = rejected ? `rejected ${poll} ${rejected}` : `accepted ${poll}`;
  client.conn.write(generate({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false }));
}
