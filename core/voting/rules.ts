/** Rules of a poll that have nothing to do with its kind. */

/** What becomes of further votes by the same voter: the last counts, the first does, or the last of at most n. */
export type Revote = 'last' | 'first' | `max ${number}`;

/** How many votes of one voter count at most one after the other; undefined when the text is no such rule. */
export function votesAllowed(revote: string): number | undefined {
  if (revote === 'last') return Number.POSITIVE_INFINITY;
  if (revote === 'first') return 1;
  const [, most] = /^max ([1-9]\d{0,2})$/.exec(revote) ?? [];
  return most === undefined ? undefined : Number(most);
}

/**
 * Who may see figures. `live` everyone at any time · `turnout` everyone sees how many voted, nobody what · `voted` who has
 * voted, and everyone once the round is final · `closed` everyone once it is final · `operator` operators only, turnout
 * included: published by changing it.
 */
export const VISIBILITIES = ['live', 'turnout', 'voted', 'closed', 'operator'] as const;
export type Visibility = (typeof VISIBILITIES)[number];

/** Who may vote: anyone who is let in, registered devices, guests, or devices of the groups named. */
export type Eligible = 'anyone' | 'registered' | 'guests' | readonly string[];

/**
 * `named` ballots bear the device's id · `pseudonymous` a keyed hash of it, whose key is kept · `secret` a keyed hash whose
 * key is destroyed when the round is closed; and figures only once it is final.
 */
export const SECRECIES = ['named', 'pseudonymous', 'secret'] as const;
export type Secrecy = (typeof SECRECIES)[number];

/** How a tie for a place is broken: not at all, by the options' order, or by a lot whose seed is published. */
export const TIE_BREAKS = ['none', 'order', 'lot'] as const;
export type TieBreak = (typeof TIE_BREAKS)[number];

/**
 * What a majority is a part of. `yes+no` votes for and against · `valid` ballots that do not abstain · `cast` all ballots ·
 * `present` devices connected at the close · `entitled` all who may vote.
 */
export const BASES = ['yes+no', 'valid', 'cast', 'present', 'entitled'] as const;
export type Base = (typeof BASES)[number];

/** What is counted: voters, their weights, or groups (one each, for what it decided by itself). */
export type By = 'heads' | 'weight' | 'groups';

/** One thing that a majority asks for. */
export interface Majority {
  /** As `> 1/2` or `>= 2/3`; an exact fraction. */
  readonly share: string;
  readonly of: Base;
  readonly by?: By | undefined;
}

/** Majorities that have a name. */
export const MAJORITIES: Readonly<Record<string, readonly Majority[]>> = {
  simple: [{ share: '> 1/2', of: 'yes+no' }],
  absolute: [{ share: '> 1/2', of: 'entitled' }],
  'two-thirds': [{ share: '>= 2/3', of: 'yes+no' }],
  'three-quarters': [{ share: '>= 3/4', of: 'yes+no' }],
  unanimous: [{ share: '>= 1/1', of: 'yes+no' }],
};

/** How many must take part. One of `share` and `number` is given. */
export interface Quorum {
  /** As `> 1/2` or `>= 1/3`, of all who may vote. */
  readonly share?: string | undefined;
  /** At least so many. */
  readonly number?: number | undefined;
  /** What is counted as taking part: devices connected (default), or ballots. */
  readonly count?: 'present' | 'cast' | undefined;
  /** When it is looked at; default at the close. */
  readonly at?: 'open' | 'close' | 'both' | undefined;
  readonly by?: 'heads' | 'weight' | undefined;
}

/** A fraction and whether reaching it is enough. */
export interface Threshold {
  readonly isStrict: boolean;
  readonly part: bigint;
  readonly whole: bigint;
}

/** What a share like `> 1/2` or `≥ 2/3` may look like, in words for error messages. */
export const SHARE_RULE = 'an exact fraction as "> 1/2" or ">= 2/3", at most 1/1';

/** Takes a share apart; undefined when it is none. */
export function parseShare(text: string): Threshold | undefined {
  const [, sign, part = '', whole = ''] = /^(>=|≥|>)\s*(\d{1,9})\s*\/\s*([1-9]\d{0,8})$/.exec(text.trim()) ?? [];
  if (sign === undefined || Number(part) > Number(whole)) return undefined;
  return { isStrict: sign === '>', part: BigInt(part), whole: BigInt(whole) };
}

/** True when `part` of `whole` reaches the threshold; exact. Of nothing, nothing is reached. */
export function reaches(part: bigint, whole: bigint, threshold: Threshold): boolean {
  if (whole === 0n) return false;
  const [left, right] = [part * threshold.whole, whole * threshold.part];
  return threshold.isStrict ? left > right : left >= right;
}
