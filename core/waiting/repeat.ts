import type { Log } from '../runtime/log.ts';
import { pause } from './pause.ts';

export interface Repetition {
  /** Ends the loop after the current step. */
  readonly signal: AbortSignal;
  /** Pause in ms after each successful step; none by default. */
  readonly everyMs?: number;
  /** Pause in ms after a failed step. It doubles from `first` to `most` while steps keep failing. */
  readonly retryMs: { readonly first: number; readonly most?: number };
  readonly log: Log;
  /** Logged once when steps begin to fail, not at every attempt. */
  readonly failureMessage: string;
  /** The log level of `failureMessage`; `warn` by default. */
  readonly level?: 'debug' | 'warn' | 'error';
  /** Logged when a step succeeds again; by default, that it works again. */
  readonly recovered?: string;
  /** Called after every failure, before the pause. */
  readonly onFailure?: (error: unknown) => void;
}

/** The random share of each pause after a failure. It keeps processes that failed together from retrying together. */
const JITTER = 0.5;

/**
 * Repeats a step until the signal aborts. After a failure, tries again after a pause; consecutive failures are logged once.
 * Never rejects.
 */
export async function repeat(step: () => Promise<void>, options: Repetition): Promise<void> {
  const { signal, everyMs = 0, retryMs, log, failureMessage, level = 'warn', onFailure } = options;
  const { recovered = 'working again' } = options;
  const { first, most = first } = retryMs;
  let waitMs = first;
  let isFailing = false;
  while (!signal.aborted) {
    try {
      await step();
      if (isFailing) log.info({ after: failureMessage }, recovered);
      isFailing = false;
      waitMs = first;
      if (everyMs > 0) await pause(everyMs, signal);
    } catch (error) {
      onFailure?.(error);
      if (!isFailing && !signal.aborted) log[level]({ err: error, retryMs: waitMs }, failureMessage);
      isFailing = true;
      await pause(waitMs * (1 - JITTER * Math.random()), signal);
      waitMs = Math.min(waitMs * 2, most);
    }
  }
}
