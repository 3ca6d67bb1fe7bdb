import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { type Deployment, type OperatorApi, Refusal, type Secret } from './api.ts';
import { tell } from './words.ts';

export interface DeskContext {
  readonly api: OperatorApi;
  readonly deployment: Deployment;
  /** Tells the operator of something that went wrong, or well. */
  readonly notify: (notice: Notice) => void;
  /** What was made for new devices and not saved yet: the server tells it once. */
  readonly secrets: readonly Secret[];
  readonly setSecrets: (secrets: readonly Secret[]) => void;
}
/** Something to tell the operator. */
export interface Notice {
  readonly text: string;
  readonly problems?: readonly string[];
  readonly isBad: boolean;
}

export const Context = createContext<DeskContext | undefined>(undefined);

/** What every part of the desk works with. */
export function useDesk(): DeskContext {
  const context = useContext(Context);
  if (!context) throw new Error('a part of the desk stands outside of it');
  return context;
}

/** Does something that the server may refuse, and tells when it does. Resolves with false then. */
export function useAttempt(): (work: () => Promise<unknown>) => Promise<boolean> {
  const { notify } = useDesk();
  return async (work) => {
    try {
      await work();
      return true;
    } catch (error) {
      notify(noticeOf(error));
      return false;
    }
  };
}

/** What an operator is told of something that went wrong. */
export function noticeOf(error: unknown): Notice {
  if (!(error instanceof Refusal)) return { text: String(error), isBad: true };
  return { text: error.status === 0 ? tell('error.away') : error.message, problems: error.problems, isBad: true };
}
