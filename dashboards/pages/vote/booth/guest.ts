import type { JoinAnswer } from '../../../../client/answers.ts';
import { BASE } from '../../base.ts';
import { skewOf } from '../../clock/skew.ts';
import type { Credentials } from './memory.ts';
import { sleep } from './sleep.ts';

/** The time in ms that the server may take to respond to a request. */
const ANSWER_LIMIT_MS = 10_000;
/** The pause in ms before a retry. It doubles from `first` to `max`; a random part of up to the same length is added. */
const RETRY_MS = { first: 1_000, max: 10_000 } as const;

/** Joins a room as a guest. @throws Error with the server’s reason for refusing */
export async function joinAsGuest(room: string): Promise<Credentials> {
  const response = await fetch(`${roomPath(room)}/join`, {
    method: 'POST',
    signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
  });
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Error(problem.detail ?? response.statusText);
  }
  const { device, password } = (await response.json()) as JoinAnswer;
  return { device, password };
}

/** Tries to join until it succeeds or `isWanted` returns false. @param onProblem called with the reason for each failure */
export async function joinPatiently(
  join: () => Promise<Credentials | undefined>,
  isWanted: () => boolean,
  onProblem: (problem: string) => void,
): Promise<Credentials | undefined> {
  for (let retryMs: number = RETRY_MS.first; isWanted(); retryMs = Math.min(2 * retryMs, RETRY_MS.max)) {
    try {
      return await join();
    } catch (error) {
      if (isWanted()) onProblem((error as Error).message);
    }
    await sleep(retryMs * (1 + Math.random()));
  }
  return undefined;
}

/** How many ms the server’s clock is ahead of this device’s clock; undefined if that is unknown. */
export async function serverSkewMs(room: string): Promise<number | undefined> {
  const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
  const response = await fetch(roomPath(room), { signal }).catch(() => undefined);
  return response && skewOf(response);
}

const roomPath = (room: string): string => `${BASE}/api/rooms/${encodeURIComponent(room)}`;
