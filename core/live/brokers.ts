import type { Definition } from '../voting/poll.ts';
import type { Roll } from '../voting/roll.ts';
import { roundKey } from '../voting/slice.ts';

/** The role under which brokers announce their presence. */
export const BROKER_ROLE = 'broker';

/** What a broker tells of itself. */
export interface BrokerFacts {
  /** Closing rounds (`roundKey`) for which it refuses votes and has handed in all it had accepted. */
  readonly handedIn: readonly string[];
  /** Voters whose devices are connected, for rounds (`presenceKey`) that ask for it. */
  readonly present: Readonly<Record<string, Roll>>;
  /** Whether it knows who its devices are: `devices`, or lets anybody in: `open`. */
  readonly door: 'open' | 'devices';
}

/** The name of a round's opening or close, under which brokers tell who is present. */
export function presenceKey(poll: string, round: number, when: 'open' | 'close'): string {
  return `${roundKey(poll, round)} ${when}`;
}

/** True where it matters who is present then. */
export function asksPresence({ quorum, majority }: Definition, when: 'open' | 'close'): boolean {
  const isBase = typeof majority === 'object' && majority.some(({ of }) => of === 'present');
  const { at = 'close', count = 'present' } = quorum ?? {};
  const isQuorum = quorum !== undefined && count === 'present' && (at === when || at === 'both');
  return isQuorum || (isBase && when === 'close');
}
