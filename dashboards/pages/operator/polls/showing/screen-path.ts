import type { PollAnswer } from '../../../../../client/answers.ts';
import { BASE } from '../../../base.ts';

/** The path of a poll’s screen, with the key with which the screen may hide figures on phones as well. */
export function screenPath({ poll, screenKey }: PollAnswer, rounds: readonly number[] = []): string {
  const query = rounds.length > 0 ? `?round=${rounds.join(',')}` : '';
  return `${BASE}/screen/${encodeURIComponent(poll)}${query}${fragment(screenKey)}`;
}

/** The path of a room’s screen. @param poll any poll of the room; all of them have the same key */
export function roomScreenPath(room: string, poll: PollAnswer | undefined): string {
  return `${BASE}/screen/room/${encodeURIComponent(room)}${fragment(poll?.screenKey)}`;
}

// The fragment of an address is not sent to servers, so the key is in no log.
const fragment = (key: string | undefined): string => (key === undefined ? '' : `#key=${key}`);
