import type { Option } from '../../rules/option.ts';
import { type Rejection, reject } from '../../rules/rejection.ts';
import { isIdentifier } from '../../rules/text/identifier.ts';

/** The key of the option "none of the above". */
export const NONE = 'none';

/** The options with "none of the above" added, if the poll offers it. */
export function withNone(options: readonly Option[], none: boolean | undefined): readonly Option[] {
  if (!none || options.some(({ key }) => key === NONE)) return options;
  return [...options, { key: NONE, label: 'None of the above' }];
}

/** The options without "none of the above". */
export function withoutNone(options: readonly Option[], none: boolean | undefined): readonly Option[] {
  return none ? options.filter(({ key }) => key !== NONE) : options;
}

/** A problem if there are fewer than two options. @param what the kind of poll, with its article */
export function tooFewOptionsProblems(options: readonly Option[], what: string): string[] {
  return options.length < 2 ? [`options: ${what} needs at least 2`] : [];
}

/** A problem if there are not more options than seats, or no seats. */
export function seatProblems(seats: number | undefined, options: number): string[] {
  if (seats === undefined || (seats >= 1 && seats < options)) return [];
  return [`seats: must be at least 1 and fewer than the ${options} options, not ${seats}`];
}

/**
 * The key that a device means by `text`: the key that is the same, or else the only one that differs from it just in upper and
 * lower case. Undefined if there is none, or more than one.
 */
export function keyMeant(text: string, options: readonly Option[]): string | undefined {
  if (options.some(({ key }) => key === text)) return text;
  // Keys are ASCII; some other letters, such as the Kelvin sign, become ASCII in lower case.
  if (!isIdentifier(text)) return undefined;
  const lower = text.toLowerCase();
  const [meant, another] = options.filter(({ key }) => key.toLowerCase() === lower);
  return another ? undefined : meant?.key;
}

/** Parses a choice that is the key of one option. */
export function parseKey(text: string, options: readonly Option[]): string | Rejection {
  return keyMeant(text, options) ?? reject('unknown-option');
}

/** Parses `min` to `max` keys separated by commas, and puts them in the poll’s order. */
export function parseKeys(text: string, options: readonly Option[], min: number, max: number): string | Rejection {
  const parts = text.split(',', options.length + 1);
  if (parts.length > options.length) return reject('too-many-options');
  const keys = parts.map((part) => keyMeant(part.trim(), options));
  if (keys.includes(undefined)) return reject('unknown-option');
  const chosen = new Set(keys);
  if (chosen.size !== keys.length) return reject('duplicate-option');
  if (chosen.size < min) return reject('too-few-options');
  if (chosen.size > max) return reject('too-many-options');
  return options
    .map(({ key }) => key)
    .filter((key) => chosen.has(key))
    .join(',');
}

/**
 * Parses keys in the voter’s order, separated by `>` or commas, or without separators if every key is a single character. There
 * is at most one more than there are options.
 */
export function parseOrder(text: string, options: readonly Option[]): readonly string[] | Rejection {
  const isCompact =
    !/[>,]/.test(text) && keyMeant(text, options) === undefined && options.every(({ key }) => key.length === 1);
  const parts = isCompact ? [...text] : text.split(/[>,]/, options.length + 1);
  const keys: string[] = [];
  for (const part of parts) {
    const key = keyMeant(part.trim(), options);
    if (key === undefined) return reject('unknown-option');
    keys.push(key);
  }
  return new Set(keys).size === keys.length ? keys : reject('duplicate-option');
}
