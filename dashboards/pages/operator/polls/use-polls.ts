import { useEffect, useState } from 'preact/hooks';
import type { PollAnswer } from '../../../../client/answers.ts';
import { followPolls } from '../../../../client/stream.ts';
import type { Result } from '../../../../core/voting/result/result.ts';
import { BASE } from '../../base.ts';
import { useDesk } from '../context.ts';
import { useReading } from '../use-reading.ts';

/** The interval in ms at which the list is read again, because other operators may change it. */
const READ_EVERY_MS = 4_000;
/** The maximum number of polls that one stream may follow. */
const MAX_FOLLOWED = 50;

/** All polls, read again regularly; `undefined` until the first response. */
export function usePolls(): {
  readonly polls: readonly PollAnswer[] | undefined;
  readonly reload: () => Promise<void>;
} {
  const { api } = useDesk();
  const [polls, setPolls] = useState<readonly PollAnswer[]>();
  const reload = async () => {
    const all = await api.polls().catch(() => undefined);
    if (all) setPolls(all);
  };
  useReading(reload, READ_EVERY_MS, [api]);
  return { polls, reload };
}

/** The live results of polls, as an operator sees them. */
export function useResults(polls: readonly string[]): ReadonlyMap<string, Result> {
  const { api } = useDesk();
  const [results, setResults] = useState<ReadonlyMap<string, Result>>(new Map());
  const followed = polls.slice(0, MAX_FOLLOWED);
  const key = followed.join(',');
  useEffect(() => {
    if (key === '') return;
    let frame = 0;
    const changed = new Map<string, Result>();
    const onResult = (result: Result) => {
      changed.set(result.poll, result);
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        setResults((before) => new Map([...before, ...changed]));
      });
    };
    const stop = followPolls(key.split(','), { onResult }, { base: BASE, headers: api.headers });
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [api, key]);
  return results;
}
