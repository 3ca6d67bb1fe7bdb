/**
 * Why a vote was rejected. The reason lies in the vote, the poll’s rules or bad timing, never in a store error. The words are
 * part of the wire protocol (receipts) and of the accounting.
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
  'equal-ranks',
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
  'too-fast',
] as const;

export type Reason = (typeof REASONS)[number];

/** A rejected vote. */
export interface Rejection {
  readonly rejected: Reason;
}

const KNOWN = new Set<string>(REASONS);
const REJECTIONS = new Map(REASONS.map((reason) => [reason, Object.freeze({ rejected: reason })]));

/** The shared Rejection value for a reason. Sharing it means that rejecting a flood of votes allocates nothing. */
export function reject(reason: Reason): Rejection {
  return REJECTIONS.get(reason) as Rejection;
}

/** True when `text` is a reason known to this version. */
export function isReason(text: string): text is Reason {
  return KNOWN.has(text);
}

/** Distinguishes a Rejection from the other values that a decoder may return. */
export function isRejection(value: object | string): value is Rejection {
  return typeof value === 'object' && 'rejected' in value;
}
