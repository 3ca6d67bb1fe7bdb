/**
 * Why a payload is not a vote. A rejection is the device's mistake or bad timing, never a store error;
 * the words are part of the wire protocol (receipts) and of the accounting.
 */
export const REASONS = [
  'unknown-poll',
  'no-open-poll',
  'not-open',
  'closed',
  'already-voted',
  'retained',
  'empty',
  'too-large',
  'malformed-text',
  'malformed-json',
  'malformed-cbor',
  'bad-choice',
  'bad-sequence',
  'bad-time',
  'unknown-option',
  'duplicate-option',
  'too-few-options',
  'too-many-options',
  'not-a-number',
  'too-many-digits',
  'out-of-range',
  'over-budget',
  'under-budget',
  'too-long',
  'stopped',
  'not-eligible',
  'unknown-mandate',
  'too-many-votes',
  'nothing-to-withdraw',
] as const;

export type Reason = (typeof REASONS)[number];

/** A refused vote. */
export interface Rejection {
  readonly rejected: Reason;
}

const KNOWN = new Set<string>(REASONS);
const REJECTIONS = new Map(REASONS.map((reason) => [reason, Object.freeze({ rejected: reason })]));

/** The one Rejection value of a reason (shared, so that refusing a flood allocates nothing). */
export function reject(reason: Reason): Rejection {
  return REJECTIONS.get(reason) as Rejection;
}

/** True when `text` is a reason this version knows. */
export function isReason(text: string): text is Reason {
  return KNOWN.has(text);
}

/** Tells a Rejection from whatever else a decoder may return. */
export function isRejection(value: object | string): value is Rejection {
  return typeof value === 'object' && 'rejected' in value;
}
