import { type Poll, stretchKey } from '../voting/poll/poll.ts';
import type { Roll } from '../voting/rules/roll.ts';
import type { Common } from '../voting/rules/settings.ts';

/** The role under which brokers announce their presence. */
export const BROKER_ROLE = 'broker';

/** What a broker announces about itself. */
export interface BrokerFacts {
  /** Closing rounds (`stretchKey`) for which the broker refuses new votes and has stored all votes that it accepted. */
  readonly handedIn: readonly string[];
  /** How many voters’ devices are connected to the broker, by `presenceKey`, for rounds that depend on who is present. */
  readonly present: Readonly<Record<string, Roll>>;
  /** Whom the broker admits: any client (`open`), or only registered devices and guests (`devices`). */
  readonly door: 'open' | 'devices';
}

/** The key under which brokers announce who is present when a round opens or closes. */
export function presenceKey(poll: Poll, when: 'open' | 'close'): string {
  return `${stretchKey(poll)} ${when}`;
}

/** True if the poll needs to know who is present when a round opens or closes. */
export function needsPresence({ quorum, majority }: Common, when: 'open' | 'close'): boolean {
  const isBase = typeof majority === 'object' && majority.some(({ of }) => of === 'present');
  const { at = 'close', count = 'present' } = quorum ?? {};
  const isQuorum = quorum !== undefined && count === 'present' && (at === when || at === 'both');
  return isQuorum || (isBase && when === 'close');
}
