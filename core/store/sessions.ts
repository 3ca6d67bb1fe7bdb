/** What a client of MQTT 5 wants for its session. Other sessions end when their clients stay away for too long. */
export interface SessionTerms {
  /** The number of the connection that set these terms. */
  readonly connection: number;
  /** How long in ms the session outlives its connection; null if it is kept as long as any. */
  readonly expiryMs: number | null;
  /** When the session ends, in ms since 1970, if its client does not return; null if it is kept as long as any. */
  readonly endsAtMs: number | null;
}

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
  /** The terms of a session; undefined if it has none. */
  terms(client: string): Promise<SessionTerms | undefined>;
  /** Sets the terms of a session, unless a newer connection has set others. */
  setTerms(client: string, terms: SessionTerms): Promise<void>;
  /** Changes the terms of a session, if this connection was the last to set them, so that a late change has no effect. */
  changeTerms(client: string, terms: SessionTerms): Promise<void>;
  /** The sessions that ended before `beforeMs` by their terms. */
  ended(beforeMs: number): Promise<string[]>;
  /** Deletes a session with its terms. */
  delete(client: string): Promise<void>;
  /** The last delivery of each topic to a session, as `recordDelivery` stored it. */
  deliveries(client: string): Promise<ReadonlyMap<string, string>>;
  recordDelivery(client: string, topic: string, delivery: string): Promise<void>;
  forgetDeliveries(client: string, topics: readonly string[]): Promise<void>;
}

/** Texts by client that brokers compare and change: wills that wait after the end of a connection. */
export interface WillStore {
  /** Stores the will of a client instead of an earlier one. */
  put(client: string, text: string): Promise<void>;
  /** Changes a will, if it is still `from`; undefined removes it. Of several brokers that try, only one gets true. */
  change(client: string, from: string, to: string | undefined): Promise<boolean>;
  get(client: string): Promise<string | undefined>;
  /** Every client with its will. Not a snapshot. */
  all(): AsyncIterable<readonly [client: string, text: string]>;
}

const TERMS = /^(\d+) (\d+|-) (\d+|-)$/;

/** Terms as they are stored: `<connection> <expiryMs> <endsAtMs>`, with `-` for null. */
export function toStoredTerms({ connection, expiryMs, endsAtMs }: SessionTerms): string {
  return `${connection} ${expiryMs ?? '-'} ${endsAtMs ?? '-'}`;
}

export function fromStoredTerms(text: string | undefined): SessionTerms | undefined {
  const [, connection, expiryMs, endsAtMs] = TERMS.exec(text ?? '') ?? [];
  const numberOf = (field: string | undefined) => (field === '-' ? null : Number(field));
  return connection === undefined
    ? undefined
    : { connection: Number(connection), expiryMs: numberOf(expiryMs), endsAtMs: numberOf(endsAtMs) };
}
