import type { OwnVote } from './memory.ts';

/** The maximum size of a vote in bytes. The broker rejects larger votes, and disconnects clients that send much larger ones. */
const MAX_VOTE_BYTES = 1_024;

/** The payload of a vote; undefined if it would be too large. */
export function payloadOf({ choice, n, t, round }: OwnVote): string | undefined {
  const text = JSON.stringify({ c: choice, n, t, r: round });
  // The payload is escaped to ASCII, so that its length is its size in bytes.
  const payload = text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return payload.length > MAX_VOTE_BYTES ? undefined : payload;
}
