/** A fraction, and whether it must be exceeded or only reached. */
export interface Threshold {
  readonly isStrict: boolean;
  readonly part: bigint;
  readonly whole: bigint;
}

/** The form of a share, worded for error messages. */
export const SHARE_RULE = 'an exact fraction, such as "> 1/2" or ">= 2/3", of at most 1/1';

/** Parses a share; undefined when the text is not a valid share. */
export function parseShare(text: string): Threshold | undefined {
  const [, sign, part = '', whole = ''] = /^(>=|≥|>)\s*(\d{1,9})\s*\/\s*([1-9]\d{0,8})$/.exec(text.trim()) ?? [];
  if (sign === undefined || Number(part) > Number(whole)) return undefined;
  return { isStrict: sign === '>', part: BigInt(part), whole: BigInt(whole) };
}

/** True when `part` of `whole` reaches the threshold, compared exactly. Always false if `whole` is 0. */
export function reaches(part: bigint, whole: bigint, threshold: Threshold): boolean {
  if (whole === 0n) return false;
  const [left, right] = [part * threshold.whole, whole * threshold.part];
  return threshold.isStrict ? left > right : left >= right;
}
