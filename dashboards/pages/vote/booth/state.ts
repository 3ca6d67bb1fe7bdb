import type { Result } from '../../../../core/voting/result/result.ts';
import type { Question } from '../../ballot/form.ts';
import type { JoinCodeProblem } from './joining/entrance.ts';
import type { OwnVote } from './outbox.ts';

/** What a phone shows. */
export interface BoothState {
  readonly phase: 'joining' | 'voting' | 'elsewhere';
  /** While joining: why the last attempt failed. */
  readonly problem?: string | undefined;
  /** True while the room does not exist. */
  readonly hasNoRoom?: boolean | undefined;
  /** Why a join code is asked for; undefined if none is. */
  readonly asks?: JoinCodeProblem | undefined;
  readonly isUp: boolean;
  /** False until it is known whether the room has a question. */
  readonly isKnown: boolean;
  readonly question: Question | undefined;
  /** This phone's vote in the current round. */
  readonly vote: OwnVote | undefined;
  /** The result, if this phone may see it. */
  readonly result: Result | undefined;
  /** How many ms the server's clock is ahead of this device's clock. */
  readonly skewMs: number;
}

/** The state before anything is known. */
export const NOTHING = {
  isUp: false,
  isKnown: false,
  question: undefined,
  vote: undefined,
  result: undefined,
  skewMs: 0,
};
