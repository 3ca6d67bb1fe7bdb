import type { Result } from '../../../core/voting/result.ts';
import { followPoll } from '../../stream/stream.ts';
import type { Credentials } from './memory.ts';

/** Figures that were not shown to a voter yet are asked for again after this, ms: doubles from the first to the second. */
const RETRY_MS = { first: 500, most: 15_000 } as const;

/**
 * Follows a result that is shown to whoever has voted, as that voter. An accepted vote is counted a moment later: until then
 * its voter is one of all, and comes again. @returns what ends it
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
    retryMs = Math.min(2 * retryMs, RETRY_MS.most);
  };
  begin();
  return () => {
    clearTimeout(timer);
    stop();
  };
}
