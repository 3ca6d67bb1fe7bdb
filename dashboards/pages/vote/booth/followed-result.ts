import { followPoll } from '../../../../client/stream.ts';
import type { Result } from '../../../../core/voting/result/result.ts';
import type { Credentials } from './memory.ts';

/** The pause in ms before a result that is still hidden is requested again. It doubles from `first` to `max`. */
const RETRY_MS = { first: 500, max: 15_000 } as const;

/**
 * Follows a result that only those who have voted may see, as one of these voters. A vote is counted a moment after it is
 * accepted; until then the result is hidden, and is requested again. @returns a function that stops following
 */
export function followAsVoter(
  poll: string,
  { device, password }: Credentials,
  onShown: (result: Result | undefined) => void,
): () => void {
  const headers = { authorization: `Basic ${btoa(`${device}:${password}`)}` };
  let retryMs: number = RETRY_MS.first;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop = () => {};
  const begin = () => {
    stop = followPoll(poll, { onResult }, { headers });
  };
  const onResult = (result: Result) => {
    if (!result.hidden) return onShown(result);
    onShown(undefined);
    stop();
    clearTimeout(timer);
    timer = setTimeout(begin, retryMs);
    retryMs = Math.min(2 * retryMs, RETRY_MS.max);
  };
  begin();
  return () => {
    clearTimeout(timer);
    stop();
  };
}
