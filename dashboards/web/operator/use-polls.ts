import { useEffect, useState } from 'preact/hooks';
import type { Result } from '../../../core/voting/result.ts';
import { followPolls } from '../../stream/stream.ts';
import type { PollInfo } from './api.ts';
import { useDesk } from './context.ts';

/** How often the list is read again, ms: others operate too. */
const READ_EVERY_MS = 4_000;
/** A stream follows so many polls at most. */
const MAX_FOLLOWED = 50;

/** All polls, read again now and then; `undefined` before the first answer. */
export function usePolls(): { readonly polls: readonly PollInfo[] | undefined; readonly reload: () => Promise<void> } {
  const { api } = useDesk();
  const [polls, setPolls] = useState<readonly PollInfo[]>();
  const reload = async () => {
    const answer = await api.call<{ polls: PollInfo[] }>('GET', '/api/polls').catch(() => undefined);
    if (answer) setPolls(answer.polls);
  };
  useEffect(() => {
    void reload();
    const timer = setInterval(() => !document.hidden && void reload(), READ_EVERY_MS);
    return () => clearInterval(timer);
  }, [api]);
  return { polls, reload };
}

/** The results of polls as they move, as an operator sees them. */
export function useResults(polls: readonly string[]): ReadonlyMap<string, Result> {
  const { api } = useDesk();
  const [results, setResults] = useState<ReadonlyMap<string, Result>>(new Map());
  const followed = polls.slice(0, MAX_FOLLOWED);
  const key = followed.join(',');
  useEffect(() => {
    if (key === '') return;
    let frame = 0;
    const news = new Map<string, Result>();
    const onResult = (result: Result) => {
      news.set(result.poll, result);
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        setResults((before) => new Map([...before, ...news]));
      });
    };
    const stop = followPolls(key.split(','), { onResult }, { headers: api.headers });
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [api, key]);
  return results;
}
