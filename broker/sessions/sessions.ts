import type { Client } from 'aedes';
import type { SessionLedger, WillStore } from '../../core/store/sessions.ts';
import type { Permissions } from '../connection/permissions.ts';

/** Maximum number of topics a client may subscribe to. */
export const MAX_SUBSCRIPTIONS = 32;

/** A topic filter of a stored session. */
export interface StoredFilter {
  readonly topic: string;
  readonly qos: number;
  /** True if messages keep the RETAIN flag with which they were published (MQTT 5). */
  readonly asPublished?: boolean;
}

/** What identifies a session. */
interface Owner {
  readonly id: string;
}

/** The part of Aedes’s persistence that is used here. */
export interface SessionPersistence {
  addSubscriptions(client: Owner, filters: readonly StoredFilter[]): Promise<void>;
  removeSubscriptions(client: Owner, topics: readonly string[]): Promise<void>;
  subscriptionsByClient(client: Owner): Promise<StoredFilter[]>;
  /** Removes all subscriptions of a session. Aedes calls it for every connection with clean session 1. */
  cleanSubscriptions(client: Owner): Promise<void>;
  /** Removes the messages at QoS 2 that a session has not released. Aedes calls it for every connection with clean session 1. */
  cleanIncoming(client: Owner): Promise<void>;
  createRetainedStreamCombi(filters: string[]): AsyncIterable<unknown>;
  outgoingEnqueue(filter: unknown, packet: unknown): Promise<void>;
  outgoingEnqueueCombi(filters: readonly unknown[], packet: unknown): Promise<void>;
  outgoingUpdate(client: Client, packet: object): Promise<void>;
  outgoingClearMessageId(client: Client, packet: { readonly messageId?: number }): Promise<unknown>;
  outgoingStream(client: Client): AsyncIterable<unknown>;
}

/** Where MQTT sessions and retained messages are stored, and how messages reach clients of other brokers. */
export interface Sessions {
  readonly persistence: SessionPersistence;
  readonly ledger: SessionLedger;
  readonly wills: WillStore;
  /** An MQEmitter. Without an emitter, messages reach only clients of this broker. */
  readonly emitter?: unknown;
  close(): Promise<void>;
}

/**
 * Stores only subscriptions that were granted. Aedes stores the whole list of a SUBSCRIBE packet, including refused filters,
 * once for each filter in the packet: a packet of 4 KiB would cause 200,000 writes, and a refused `#` would take effect when
 * the session is resumed.
 *
 * @param isAsPublished whether a client of MQTT 5 wants messages on a topic with the RETAIN flag with which they were published
 */
export function guardSessions(
  persistence: SessionPersistence,
  { maySubscribe }: Permissions,
  isAsPublished: (client: object, topic: string) => boolean,
): void {
  const store = persistence.addSubscriptions.bind(persistence);
  // Aedes gets no messages from devices, so there is nothing to remove.
  persistence.cleanIncoming = async () => {};
  const stored = new WeakSet<readonly StoredFilter[]>();
  persistence.addSubscriptions = async (client, filters) => {
    if (stored.has(filters)) return;
    stored.add(filters);
    const granted = filters
      .filter(({ topic }) => maySubscribe(topic, client.id))
      .slice(0, MAX_SUBSCRIPTIONS)
      .map((filter) => (isAsPublished(client, filter.topic) ? { ...filter, asPublished: true } : filter));
    if (granted.length > 0) await store(client, granted);
  };
}
