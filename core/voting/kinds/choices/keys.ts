import type { Option } from '../../rules/option.ts';
import { type Rejection, reject } from '../../rules/rejection.ts';

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

/** Parses a choice that is the key of one option. */
export function parseKey(text: string, options: readonly Option[]): string | Rejection {
  return options.some(({ key }) => key === text) ? text : reject('unknown-option');
}

/** Parses `min` to `max` keys separated by commas, and puts them in the poll’s order. */
export function parseKeys(text: string, options: readonly Option[], min: number, max: number): string | Rejection {
  const keys = text.split(',', options.length + 1).map((key) => key.trim());
  const chosen = new Set(keys);
  if (keys.length > options.length) return reject('too-many-options');
  const known = options.filter((option) => chosen.has(option.key)).map((option) => option.key);
  if (known.length !== chosen.size) return reject('unknown-option');
  if (chosen.size !== keys.length) return reject('duplicate-option');
  if (known.length < min) return reject('too-few-options');
  if (known.length > max) return reject('too-many-options');
  return known.join(',');
}
