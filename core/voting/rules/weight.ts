/** An exact weight: a whole number of millionths. Integer sums have no rounding errors. */
export type Weight = bigint;

/** The number of decimal places that a weight may have. */
const DECIMALS = 6;
const UNIT = 10n ** BigInt(DECIMALS);
const WEIGHT = /^(0|[1-9]\d{0,11})(?:\.(\d{1,6}))?$/;

/** The form of a weight, worded for error messages. */
export const WEIGHT_RULE =
  'a number above 0, such as 12 or 12.5, with at most 12 digits before the decimal point and 6 after it';

/** The weight of an unweighted voter: 1. */
export const ONE: Weight = UNIT;

/** Parses a weight; undefined if the text is not a valid weight. */
export function parseWeight(text: string): Weight | undefined {
  const [, whole, fraction = ''] = WEIGHT.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const weight = BigInt(whole) * UNIT + BigInt(fraction.padEnd(DECIMALS, '0'));
  return weight > 0n ? weight : undefined;
}

/** The weight as text without trailing zeros: `12.5`. The inverse of `parseWeight`, but also handles 0. */
export function formatWeight(weight: Weight): string {
  return formatDecimal(weight, DECIMALS);
}

/** A number of 10^-`decimals` as text, without trailing zeros. */
export function formatDecimal(units: bigint, decimals: number): string {
  const unit = 10n ** BigInt(decimals);
  const fraction = String(units % unit)
    .padStart(decimals, '0')
    .replace(/0+$/, '');
  return fraction === '' ? String(units / unit) : `${units / unit}.${fraction}`;
}

/** `part` divided by `whole`, between 0 and 1; 0 if `whole` is 0. For display only: decisions need an exact comparison. */
export function shareOf(part: Weight, whole: Weight): number {
  return whole === 0n ? 0 : Number(part) / Number(whole);
}
