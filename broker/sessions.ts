import { maySubscribe } from './permissions.ts';

/** Topics a client may subscribe to. */
export const MAX_SUBSCRIPTIONS = 32;

interface Filter {
  readonly topic: string;
}

/** What the broker itself calls of the persistence of MQTT sessions; the rest is between it and Aedes. */
export interface Sessions {
  addSubscriptions(client: { readonly id: string }, filters: readonly Filter[]): Promise<void>;
  destroy(): Promise<void>;
}

/**
 * Keeps out of stored sessions what was not granted. Aedes stores a SUBSCRIBE packet's whole list, refused filters
 * with it, and once per filter: a packet of 4 KiB would be 200,000 writes, and a refused `#` would come to life.
 */
export function guardSessions(sessions: Sessions): void {
  const store = sessions.addSubscriptions.bind(sessions);
  const stored = new WeakSet<readonly Filter[]>();
  sessions.addSubscriptions = async (client, filters) => {
    if (stored.has(filters)) return;
    stored.add(filters);
    const granted = filters.filter(({ topic }) => maySubscribe(topic, client.id)).slice(0, MAX_SUBSCRIPTIONS);
    if (granted.length > 0) await store(client, granted);
  };
}
