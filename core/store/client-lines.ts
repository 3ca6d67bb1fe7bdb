/** The newest connection of a client id, and the broker that has it. */
export interface LineHolder {
  readonly number: number;
  /** The broker’s run id. */
  readonly broker: string;
}

/** A connection that has ended, by its client id. */
export type Ended = readonly [id: string, holder: LineHolder];

/** What a broker learns when it claims a client id for a new connection. */
export interface Claim {
  /**
   * The connection’s number, higher than that of any earlier connection to any process. It tells votes of an older connection
   * and packets that are sent again from new votes.
   */
  readonly number: number;
  /** The connection that was the newest before; undefined if there was none. */
  readonly before: LineHolder | undefined;
}

/**
 * A message between brokers. `claim`: the connection is now the newest of its id, so every older one must end. `gone`: this
 * connection has ended, as have all older ones of its id, and everything accepted from them is stored.
 */
export type LineNotice = LineHolder & { readonly id: string } & (
    | { readonly is: 'claim'; readonly before: LineHolder | undefined }
    | { readonly is: 'gone' }
  );

/**
 * Which connection is the newest of each client id, among all brokers. Claims are atomic. Notices may be lost, so a broker that
 * waits for a `gone` must send its claim again; and they may arrive in another order, because the nodes of a cluster pass them on
 * independently, so they are judged by their numbers.
 */
export interface Lines {
  /** Makes a new connection the newest of its id, and tells all brokers. */
  claim(id: string, broker: string): Promise<Claim>;
  /** Forgets connections that have ended, each unless there is a newer one of its id. */
  release(ended: readonly Ended[]): Promise<void>;
  /** The newest connection of each id, in the same order. */
  holders(ids: readonly string[]): Promise<(LineHolder | undefined)[]>;
  /** Every id with its newest connection. Not a snapshot. */
  all(): AsyncIterable<readonly [id: string, holder: LineHolder]>;
  tell(notice: LineNotice): Promise<void>;
  /** Calls the listener with the notices of all brokers, this one included. Resolves once it hears them. */
  listen(listener: (notice: LineNotice) => void): Promise<() => void>;
}
