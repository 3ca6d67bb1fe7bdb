import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ClaimAnswer, DeploymentAnswer, PollAnswer, RegisteredDevice } from '../../../client/answers.ts';
import type { OperatorApi } from './api.ts';
import type { TaskDesk } from './devices/chosen/use-task-run.ts';
import { type Notice, noticeOf } from './notice.tsx';

export interface Desk {
  readonly api: OperatorApi;
  readonly deployment: DeploymentAnswer;
  /** Whether the operator’s role allows an action, such as `poll.open`; with a poll, whether it does so in its room. */
  readonly may: (action: string, poll?: Pick<PollAnswer, 'room'>) => boolean;
  /** Shows the operator a notice of success or failure. */
  readonly notify: (notice: Notice) => void;
  /** Secrets of new devices that have not been saved yet; the server shows each only once. */
  readonly secrets: readonly RegisteredDevice[];
  /** Changes them from what they are then: what a task makes arrives at any time. */
  readonly setSecrets: (change: (before: readonly RegisteredDevice[]) => readonly RegisteredDevice[]) => void;
  /** Claim codes that have not been printed or saved yet; the server shows each only once, too. */
  readonly claims: readonly ClaimAnswer[];
  readonly setClaims: (change: (before: readonly ClaimAnswer[]) => readonly ClaimAnswer[]) => void;
  readonly tasks: TaskDesk;
}

export const DeskContext = createContext<Desk | undefined>(undefined);

/** The state and actions that all parts of the operator’s pages share. */
export function useDesk(): Desk {
  const context = useContext(DeskContext);
  if (!context) throw new Error('useDesk was called outside the operator’s pages');
  return context;
}

/** See `Desk.may`. */
export function permissionsOf({ operator: { may, rooms } }: DeploymentAnswer): Desk['may'] {
  return (action, poll) => {
    if (poll && rooms !== null && (poll.room === undefined || !rooms.includes(poll.room))) return false;
    return may.includes(action);
  };
}

/** Runs an action that may fail. If it does, shows the error. Resolves with false if it failed, or if it resolved with false. */
export function useAttempt(): (work: () => Promise<unknown>) => Promise<boolean> {
  const { notify } = useDesk();
  return async (work) => {
    try {
      return (await work()) !== false;
    } catch (error) {
      notify(noticeOf(error));
      return false;
    }
  };
}
