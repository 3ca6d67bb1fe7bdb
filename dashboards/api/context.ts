import type { AuditTrail } from '../../core/audit/trail/trail.ts';
import type { GuestBook } from '../../core/devices/guests/guest-book.ts';
import type { Nicknames } from '../../core/devices/nicknames.ts';
import type { PollBook } from '../../core/live/poll-book.ts';
import type { LiveResults } from '../../core/live/results.ts';
import type { OperatorRegister } from '../../core/operators/register.ts';
import type { Operations } from '../../core/process/operations.ts';
import { noSuchPoll, type PollRepository } from '../../core/rounds/poll-repository.ts';
import type { Recounter } from '../../core/rounds/recounts/recounter.ts';
import type { Rounds } from '../../core/rounds/rounds.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { Series } from '../../core/store/series/series.ts';
import type { Store } from '../../core/store/store.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import type { Joining } from '../joining/joining.ts';
import type { SignIn } from '../oidc/sign-in.ts';
import type { Rehearsals } from '../rehearsals/rehearsals.ts';
import type { Hub } from '../sse/hub.ts';
import type { Budgets } from './limits/budgets.ts';
import type { Guesses } from './limits/guesses.ts';
import type { Operators } from './operators.ts';
import type { Recorder } from './permissions/recorder.ts';
import type { OperatorStreams } from './permissions/streams.ts';
import type { VoterStreams } from './permissions/voter-streams.ts';
import type { Requests } from './requests.ts';
import type { SlowReaders } from './slow-readers.ts';
import type { Turns } from './turns.ts';

/** What the routes depend on. */
export interface Context extends Operations {
  readonly store: Store;
  /** The time series of rounds; undefined if none are recorded. */
  readonly series: Series | undefined;
  readonly polls: PollBook;
  readonly repository: PollRepository;
  readonly results: LiveResults;
  readonly rounds: Rounds;
  readonly recounter: Recounter;
  readonly hub: Hub;
  readonly requests: Requests;
  readonly turns: Turns;
  readonly slowReaders: SlowReaders;
  readonly operators: Operators;
  readonly operatorRegister: OperatorRegister;
  readonly operatorStreams: OperatorStreams;
  /** Undefined without an identity provider. */
  readonly signIn: SignIn | undefined;
  readonly voterStreams: VoterStreams;
  readonly trail: AuditTrail;
  readonly recorder: Recorder;
  readonly budgets: Budgets;
  readonly guesses: Guesses;
  readonly guests: GuestBook;
  readonly nicknames: Nicknames;
  readonly joining: Joining;
  readonly rehearsals: Rehearsals;
  /** The URL for phones, without a trailing slash; empty if phones use the same URL as the screen. */
  readonly publicUrl: string;
  /** Whom brokers admit: `open` admits any client, `devices` only registered devices and guests. */
  readonly door: 'open' | 'devices';
  readonly log: Log;
}

/** The poll with this id. @throws Refusal no-such-poll */
export function knownPoll({ polls }: Pick<Context, 'polls'>, id: string): Poll {
  const poll = polls.get(id);
  if (!poll) throw noSuchPoll(id);
  return poll;
}
