import type { GuestBook } from '../core/devices/guest.ts';
import type { PollBook } from '../core/live/polls.ts';
import type { LiveResults } from '../core/live/results.ts';
import type { Log } from '../core/runtime/log.ts';
import type { Operations } from '../core/runtime/operations.ts';
import type { Series } from '../core/store/series/series.ts';
import type { Store } from '../core/store/store.ts';
import type { Poll } from '../core/voting/poll.ts';
import type { Operators } from './operator.ts';
import { Problem } from './problem.ts';
import type { Recounts } from './recounts.ts';
import type { Rehearsals } from './rehearsals.ts';
import type { Rounds } from './rounds.ts';
import type { Hub } from './sse/hub.ts';

/** What the routes work with. */
export interface Context extends Operations {
  readonly store: Store;
  /** The course of rounds; absent where none is kept. */
  readonly series: Series | undefined;
  readonly polls: PollBook;
  readonly results: LiveResults;
  readonly rounds: Rounds;
  readonly hub: Hub;
  readonly operators: Operators;
  readonly guests: GuestBook;
  readonly rehearsals: Rehearsals;
  readonly recounts: Recounts;
  /** Where phones reach this deployment, without a slash at the end; empty: as they see it. */
  readonly publicUrl: string;
  /** Whether the door asks who devices are. */
  readonly door: 'open' | 'devices';
  readonly log: Log;
}

/** The poll of that id. @throws Problem 404 when there is none */
export function pollOr404({ polls }: Pick<Context, 'polls'>, id: string): Poll {
  const poll = polls.get(id);
  if (!poll) throw new Problem(404, 'no-such-poll', `there is no poll ${JSON.stringify(id)}`);
  return poll;
}
