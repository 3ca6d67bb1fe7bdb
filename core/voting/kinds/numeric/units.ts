import { type Rejection, reject } from '../../rules/rejection.ts';

const NUMBER = /^[+-]?\d{1,15}(?:\.(\d{1,15}))?$/;

/** Numbers are counted in units of their last decimal place, so that sums are exact: with one decimal, 3.5 is 35 units. */

/**
 * Parses a voter’s text into units, or returns why it is not a valid number. Both `3.5` and `3,5` are three and a half: neither
 * character ever separates thousands.
 */
export function parseUnits(text: string, decimals: number): number | Rejection {
  const [number, fraction = ''] = NUMBER.exec(text.includes('.') ? text : text.replace(',', '.')) ?? [];
  if (number === undefined) return reject('not-a-number');
  if (fraction.replace(/0+$/, '').length > decimals) return reject('too-many-digits');
  const units = unitsOf(number, decimals);
  return Number.isSafeInteger(units) ? units : reject('out-of-range');
}

/** The number in units; NaN if it has too many decimal places. */
export function unitsOf(number: string | number, decimals: number): number {
  const [text, fraction = ''] = NUMBER.exec(String(number)) ?? [];
  const digits = fraction.replace(/0+$/, '');
  if (text === undefined || digits.length > decimals) return Number.NaN;
  const [whole = '0'] = text.split('.');
  const units = Number(whole + digits.padEnd(decimals, '0'));
  return units === 0 ? 0 : units;
}

/** The inverse of `unitsOf`, without needless zeros. */
export function formatUnits(units: number, decimals: number): string {
  const sign = units < 0 ? '-' : '';
  const digits = String(Math.abs(units)).padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return sign + (decimals === 0 || fraction === '' ? whole : `${whole}.${fraction}`);
}
