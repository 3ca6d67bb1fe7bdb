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
  /** Whether only counting decides if the vote counts, for example because nobody may vote twice; or a way to find out. */
  readonly undecided?: boolean | (() => Promise<boolean>) | undefined;
  /** Voters of the device that may not vote in the poll, although the message was accepted for others. */
  readonly without?: readonly string[] | undefined;
}

/** The maximum number of voters that a receipt names. */
const MAX_NAMED = 20;

/** The subscriptions of a client by topic, which Aedes’s types leave out. */
interface Subscriber {
  readonly subscriptions: Readonly<Record<string, unknown>>;
}

/** The receipts of a client that wait for an earlier one: when they are sent, and how many they are. */
const waiting = new WeakMap<Client, { sent: Promise<void>; count: number }>();
/** The maximum number of receipts that wait. Further receipts are dropped. */
const MAX_WAITING = 64;

/**
 * Sends a device the receipt for its vote, if it has subscribed to its receipts, after the receipts for its earlier votes. The
 * receipt is only for this device, so it is written directly to the connection at QoS 0. It is dropped if the connection is
 * congested.
 */
export function sendReceipt(client: Client, receipt: Receipt): void {
  if (!isListening(client)) return;
  const { undecided } = receipt;
  const queue = waiting.get(client);
  if (!queue && typeof undecided !== 'function') return write(client, receipt, undecided === true);
  const { sent, count } = queue ?? { sent: Promise.resolve(), count: 0 };
  if (count >= MAX_WAITING) return;
  const next = { sent: sent.then(() => writeOnceKnown(client, receipt)), count: count + 1 };
  waiting.set(client, next);
  void next.sent.then(() => waiting.get(client) === next && waiting.delete(client));
}

async function writeOnceKnown(client: Client, receipt: Receipt): Promise<void> {
  const { undecided } = receipt;
  // If the ballot cannot be read, only counting can decide.
  const isUndecided = typeof undecided === 'function' ? await undecided().catch(() => true) : undecided === true;
  if (isListening(client)) write(client, receipt, isUndecided);
}

function isListening(client: Client): boolean {
  const { subscriptions } = client as Client & Subscriber;
  if (isEmpty(subscriptions)) return false;
  return subscriptions[receiptTopic(client.id)] !== undefined && !client.closed && !client.conn.writableNeedDrain;
}

/** Most devices subscribe to nothing, and this is asked for every vote. */
function isEmpty(subscriptions: Subscriber['subscriptions']): boolean {
  for (const _ in subscriptions) return false;
  return true;
}

function write(client: Client, { poll, rejected, without = [] }: Receipt, isUndecided: boolean): void {
  const topic = receiptTopic(client.id);
  const named = without.length === 0 ? '' : ` without ${without.slice(0, MAX_NAMED).join(' ')}`;
  const payload = rejected
    ? `rejected ${poll} ${rejected}`
    : `${isUndecided ? 'recorded' : 'accepted'} ${poll}${named}`;
  client.conn.write(generate({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false }));
}
