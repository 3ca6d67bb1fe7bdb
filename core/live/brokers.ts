/** The role under which brokers announce their presence. */
export const BROKER_ROLE = 'broker';

/** What a broker tells of itself. */
export interface BrokerFacts {
  /** Closing rounds (`roundKey`) for which it refuses votes and has handed in all it had accepted. */
  readonly handedIn: readonly string[];
}
