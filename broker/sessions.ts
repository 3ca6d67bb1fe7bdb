import { maySubscribe } from './permissions.ts';

/** Topics a client may subscribe to. */
export const MAX_SUBSCRIPTIONS = 32;

interface Filter {
  readonly topic: string;
}

/** What is called of the persistence of MQTT sessions here; the rest is between it and Aedes. */
interface Persistence {
  addSubscriptions(client: { readonly id: string }, filters: readonly Filter[]): Promise<void>;
}

/** Where MQTT sessions and retained messages are kept, and how messages reach the clients of other brokers. */
export interface Sessions {
  readonly persistence: Persistence;
  /** An MQEmitter; without one messages stay in this broker. */
  readonly emitter?: unknown;
  close(): Promise<void>;
}

/**
 * Keeps out of stored sessions what was not granted. Aedes stores a SUBSCRIBE packet's whole list, refused filters
 * with it, and once per filter: a packet of 4 KiB would be 200,000 writes, and a refused `#` would come to life.
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
