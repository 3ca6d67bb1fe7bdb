import { maySubscribe } from '../connection/permissions.ts';

/** Maximum number of topics a client may subscribe to. */
export const MAX_SUBSCRIPTIONS = 32;

interface Filter {
  readonly topic: string;
}

/** The part of Aedes’s persistence that is used here. */
interface Persistence {
  addSubscriptions(client: { readonly id: string }, filters: readonly Filter[]): Promise<void>;
}

/** Where MQTT sessions and retained messages are stored, and how messages reach clients of other brokers. */
export interface Sessions {
  readonly persistence: Persistence;
  /** An MQEmitter. Without an emitter, messages reach only clients of this broker. */
  readonly emitter?: unknown;
  close(): Promise<void>;
}

/**
 * Stores only subscriptions that were granted. Aedes stores the whole list of a SUBSCRIBE packet, including refused filters,
 * once for each filter in the packet: a packet of 4 KiB would cause 200,000 writes, and a refused `#` would take effect when
 * the session is resumed.
 */
export function guardSessions(persistence: Persistence): void {
  const store = persistence.addSubscriptions.bind(persistence);
  const stored = new WeakSet<readonly Filter[]>();
  persistence.addSubscriptions = async (client, filters) => {
    if (stored.has(filters)) return;
    stored.add(filters);
    const granted = filters.filter(({ topic }) => maySubscribe(topic, client.id)).slice(0, MAX_SUBSCRIPTIONS);
    if (granted.length > 0) await store(client, granted);
  };
}
