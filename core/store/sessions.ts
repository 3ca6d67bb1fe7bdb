/**
 * What brokers remember about MQTT sessions, besides the subscriptions that Aedes’s persistence stores. A session exists from
 * the first connection with clean session 0, with or without subscriptions, until a client with its id connects with clean
 * session 1, or until it expires. Every method rejects with a `StoreError` if the store cannot be reached.
 */
export interface SessionLedger {
  /** When a session was last in use, in ms since 1970; undefined if it does not exist. */
  lastUsed(client: string): Promise<number | undefined>;
  /** Creates a session to which nothing has been sent. */
  create(client: string, atMs: number): Promise<void>;
  /** Records that sessions are in use. Those that do not exist are not created. */
  touch(clients: readonly string[], atMs: number): Promise<void>;
  /** Up to `limit` sessions that were last used before `beforeMs`. */
  unused(beforeMs: number, limit: number): Promise<string[]>;
  delete(client: string): Promise<void>;
  /** The last delivery of each topic to a session, as `recordDelivery` stored it. */
  deliveries(client: string): Promise<ReadonlyMap<string, string>>;
  recordDelivery(client: string, topic: string, delivery: string): Promise<void>;
  forgetDeliveries(client: string, topics: readonly string[]): Promise<void>;
}
