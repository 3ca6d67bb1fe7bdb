import { useEffect, useState } from 'preact/hooks';
import { pollPath } from '../../../client/api.ts';
import type { Result } from '../../../core/voting/result/result.ts';

/** Delay in ms before a result that could not be read is requested again. */
const RETRY_MS = 2_000;

/**
 * The results of the given rounds, as far as they exist: the current one live, earlier ones as they are kept.
 *
 * @param live the live result of the poll, whose state decides when the others are read again
 */
export function useRounds(
  live: Result | undefined,
  rounds: readonly number[],
  headers: Readonly<Record<string, string>> = {},
): readonly Result[] {
  const [kept, keep] = useState<ReadonlyMap<string, Result>>(new Map());
  const wanted = rounds.filter((round) => live !== undefined && round < live.round);
  const key = `${live?.poll} ${wanted}`;
  const state = `${live?.round} ${live?.hidden} ${live?.status}`;
  useEffect(() => {
    if (!live || wanted.length === 0) return;
    const over = new AbortController();
    const { poll } = live;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async (left: readonly number[]) => {
      const again: number[] = [];
      for (const round of left) {
        const request = fetch(pollPath(poll, 'result', round), { headers, signal: over.signal });
        const response = await request.catch(() => undefined);
        if (over.signal.aborted) return;
        if (response?.ok) {
          const result: Result = await response.json();
          keep((before) => new Map([...before, [`${poll} ${round}`, result]]));
        } else if (response?.status !== 404) again.push(round);
      }
      if (again.length > 0) timer = setTimeout(() => void read(again), RETRY_MS);
    };
    void read(wanted);
    return () => {
      over.abort();
      clearTimeout(timer);
    };
  }, [key, state]);
  return rounds.flatMap((round) => {
    const result = live?.round === round ? live : kept.get(`${live?.poll} ${round}`);
    return result ? [result] : [];
  });
}
