import { type Rejection, reject } from '../rejection.ts';

/** Stands for "nothing for this one" where numbers come by place. */
const SKIP = '-';
const WHOLE = /^[+-]?\d{1,9}$/;

/**
 * A number for each of several keys: `a:3,b:7`, in any order; or without keys, by place, `3,7,-`. What is left out has
 * none. The answer is in the order of `keys`.
 */
export function parsePairs(text: string, keys: readonly string[]): Map<string, number> | Rejection {
  const parts = text.split(',', keys.length + 1).map((part) => part.trim());
  if (parts.length > keys.length) return reject('too-many-options');
  const isByPlace = !text.includes(':');
  if (isByPlace && parts.length < keys.length) return reject('too-few-options');
  const found = new Map<string, number>();
  for (const [place, part] of parts.entries()) {
    const [key = '', value = '', ...rest] = isByPlace
      ? [keys[place], part]
      : part.split(':').map((side) => side.trim());
    if (!keys.includes(key)) return reject('unknown-option');
    if (found.has(key)) return reject('duplicate-option');
    if (value === SKIP) continue;
    if (rest.length > 0 || !WHOLE.test(value)) return reject('not-a-number');
    found.set(key, Number(value));
  }
  return new Map(keys.filter((key) => found.has(key)).map((key) => [key, found.get(key) as number]));
}

/** The canonical text of pairs. */
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
