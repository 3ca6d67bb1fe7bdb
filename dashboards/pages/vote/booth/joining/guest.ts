import type { JoinAnswer, RoomAnswer } from '../../../../../client/answers.ts';
import { BASE } from '../../../base.ts';
import { skewOf } from '../../../clock/skew.ts';
import type { Credentials } from '../memory.ts';
import { sleep } from '../sleep.ts';
import { bitsOf, type Proof, proofOf } from './proof.ts';

/** The time in ms that the server may take to respond to a request. */
const ANSWER_LIMIT_MS = 10_000;
/** The pause in ms before a retry. It doubles from `first` to `max`; a random part of up to the same length is added. */
const RETRY_MS = { first: 1_000, max: 5_000 } as const;

/**
 * The refusals of wrong credentials by the API. Right ones are never refused for too many guesses, so that word as well means that
 * they are wrong.
 */
const WRONG: readonly string[] = ['wrong-credentials', 'too-many-guesses'];

/** The server refuses to let this phone join. */
export class JoinRefused extends Error {
  /** The reason as a word, such as `wrong-join-code`. */
  readonly code: string;

  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

/**
 * Joins a room as a guest. If many have joined from this address, the server asks for a proof of work, which is computed here.
 *
 * @param code the join code, if the room asks for one
 * @throws JoinRefused, or another Error if the server cannot be reached
 */
export async function joinAsGuest(room: string, code: string | undefined): Promise<Credentials> {
  let proof: Proof | undefined;
  for (;;) {
    const response = await fetch(`${roomPath(room)}/join`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code, proof }),
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
    if (response.ok) {
      const { device, password } = (await response.json()) as JoinAnswer;
      return { device, password, room };
    }
    const { code: why, detail = response.statusText, challenge } = await problemOf(response);
    // Others may have joined while this phone computed, so that a more difficult proof is needed; but not for ever.
    if (challenge === undefined || (proof && bitsOf(proof.challenge) >= bitsOf(challenge))) {
      throw new JoinRefused(why, detail);
    }
    proof = await proofOf(challenge);
  }
}

/** @throws JoinRefused if a room does not exist. Asked before joining, because waiting for a room is no error. */
export async function demandRoom(room: string): Promise<void> {
  const response = await fetch(roomPath(room), { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
  if (!response.ok) return;
  const { exists } = (await response.json()) as Partial<RoomAnswer>;
  if (exists === false) throw new JoinRefused('no-such-room', `there is no room ${room}`);
}

/** Whether the server says that credentials are not valid any more. If it does not answer, they may be. */
export async function areVoid({ device, password }: Credentials): Promise<boolean> {
  const response = await fetch(`${BASE}/api/guests/me`, {
    headers: { authorization: `Basic ${btoa(`${device}:${password}`)}` },
    signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
  }).catch(() => undefined);
  return response?.ok === false && WRONG.includes((await problemOf(response)).code);
}

/** Tries to join until it succeeds or `isWanted` returns false. @param onProblem called with each failure */
export async function joinPatiently(
  join: () => Promise<Credentials | undefined>,
  isWanted: () => boolean,
  onProblem: (error: Error) => void,
): Promise<Credentials | undefined> {
  for (let retryMs: number = RETRY_MS.first; isWanted(); retryMs = Math.min(2 * retryMs, RETRY_MS.max)) {
    try {
      return await join();
    } catch (error) {
      if (isWanted()) onProblem(error as Error);
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

/** The problem that a response describes [RFC 9457], with its type as a word; the word is empty if there is none. */
async function problemOf(response: Response): Promise<{ code: string; detail?: string; challenge?: string }> {
  const { type = '', ...rest } = await response.json().catch(() => ({}));
  return { ...rest, code: String(type).replace('urn:pollcast:', '') };
}

const roomPath = (room: string): string => `${BASE}/api/rooms/${encodeURIComponent(room)}`;
