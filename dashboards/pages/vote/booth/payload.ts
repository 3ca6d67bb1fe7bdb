import { MAX_OBJECT_BYTES } from '../../../../core/voting/count/vote.ts';
import type { OwnVote } from './outbox.ts';

/** The payload of a vote; undefined if it would be too large: the broker disconnects clients that send much larger ones. */
export function payloadOf({ choice, n, t, round }: OwnVote): string | undefined {
  const text = JSON.stringify({ c: choice, n, t, r: round });
  // The payload is escaped to ASCII, so that its length is its size in bytes.
  const payload = text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return payload.length > MAX_OBJECT_BYTES ? undefined : payload;
}
