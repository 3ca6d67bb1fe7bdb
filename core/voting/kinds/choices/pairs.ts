import type { Option } from '../../rules/option.ts';
import { type Rejection, reject } from '../../rules/rejection.ts';
import { keyMeant } from './keys.ts';

/** Marks a missing number, mainly where numbers are given by position. */
const SKIP = '-';
const WHOLE = /^[+-]?\d{1,9}$/;

/**
 * Parses a number for each of several keys: `a:3,b:7` in any order, or by position without keys: `3,7,-`. Keys that are left
 * out or skipped have no number. The result is in the order of `things`.
 */
export function parsePairs(text: string, things: readonly Option[]): Map<string, number> | Rejection {
  const parts = text.split(',', things.length + 1).map((part) => part.trim());
  if (parts.length > things.length) return reject('too-many-options');
  const isByPosition = !text.includes(':');
  if (isByPosition && parts.length < things.length) return reject('too-few-options');
  const found = new Map<string, number>();
  for (const [place, part] of parts.entries()) {
    const [name = '', value = '', ...rest] = isByPosition
      ? [things[place]?.key, part]
      : part.split(':').map((side) => side.trim());
    const key = keyMeant(name, things);
    if (key === undefined) return reject('unknown-option');
    if (found.has(key)) return reject('duplicate-option');
    if (value === SKIP) continue;
    if (rest.length > 0 || !WHOLE.test(value)) return reject('not-a-number');
    found.set(key, Number(value));
  }
  return new Map(things.flatMap(({ key }) => (found.has(key) ? [[key, found.get(key) as number]] : [])));
}

/** Formats pairs as canonical text. */
export function formatPairs(pairs: ReadonlyMap<string, number>): string {
  return [...pairs].map(([key, value]) => `${key}:${value === 0 ? 0 : value}`).join(',');
}

/** The inverse of `formatPairs`. */
export function readPairs(choice: string): [key: string, value: number][] {
  if (choice === '') return [];
  return choice.split(',').map((part) => {
    const at = part.indexOf(':');
    return [part.slice(0, at), Number(part.slice(at + 1))];
  });
}

/** Parses grades from `min` to `max` for at least one of several things. */
export function parseGrades(
  text: string,
  things: readonly Option[],
  min: number,
  max: number,
): Map<string, number> | Rejection {
  const grades = parsePairs(text, things);
  if (!(grades instanceof Map)) return grades;
  if (grades.size === 0) return reject('too-few-options');
  for (const grade of grades.values()) if (grade < min || grade > max) return reject('out-of-range');
  return grades;
}
