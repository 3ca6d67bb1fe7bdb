import { isDeepStrictEqual } from 'node:util';

/** True if both values have the same JSON, which omits undefined fields. */
export function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));
}
