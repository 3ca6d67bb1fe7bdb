import type { Definition } from '../../../core/voting/poll.ts';

/** A question as phones know it: definition, and where it stands. */
export interface Question extends Definition {
  readonly status: string;
  readonly round: number;
  readonly closingAt?: string;
}

/** What every form of a ballot is given. */
export interface FormProps {
  readonly question: Definition;
  /** The choice that was cast last, as text; undefined: none. */
  readonly cast: string | undefined;
  /** A tap is a vote: there is nothing to confirm. */
  readonly isInstant: boolean;
  readonly isDisabled: boolean;
  readonly onCast: (choice: string) => void;
}
