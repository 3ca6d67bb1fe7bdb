/** A weight, exactly: a whole number of millionths. Never floating point, so sums are right to the last digit. */
export type Weight = bigint;

/** Digits after the point that a weight may have. */
const DECIMALS = 6;
const UNIT = 10n ** BigInt(DECIMALS);
const WEIGHT = /^(0|[1-9]\d{0,11})(?:\.(\d{1,6}))?$/;

/** What a weight may look like, in words for error messages. */
export const WEIGHT_RULE =
  'a number above 0 in digits, as 12 or 12.5, with at most 12 digits before the point and 6 after';

/** The weight of one head. */
export const ONE: Weight = UNIT;

/** The weight that a text writes; undefined when it is none. */
export function parseWeight(text: string): Weight | undefined {
  const [, whole, fraction = ''] = WEIGHT.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const weight = BigInt(whole) * UNIT + BigInt(fraction.padEnd(DECIMALS, '0'));
  return weight > 0n ? weight : undefined;
}

/** The weight as text, without zeros that say nothing: `12.5`. The inverse of `parseWeight`, and 0 for nothing. */
export function formatWeight(weight: Weight): string {
  const whole = weight / UNIT;
  const fraction = String(weight % UNIT)
    .padStart(DECIMALS, '0')
    .replace(/0+$/, '');
  return fraction === '' ? String(whole) : `${whole}.${fraction}`;
}

/** `part` of `whole` as a share for people, between 0 and 1; 0 of nothing. Never decide by it: compare exactly. */
export function shareOf(part: Weight, whole: Weight): number {
  return whole === 0n ? 0 : Number(part) / Number(whole);
}
