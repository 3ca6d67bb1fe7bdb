import type { Option } from '../../rules/option.ts';
import type { FullBallot } from '../kind.ts';
import { formatPairs } from './pairs.ts';

/** The longest ballot that names one option. */
export function fullestKey(options: readonly Option[]): FullBallot {
  return { choice: longest(options, 1)[0] ?? '', follows: 'options' };
}

/** The longest ballot that names up to `max` options. @param separator what stands between two keys */
export function fullestKeys(options: readonly Option[], max: number, separator: ',' | '>'): FullBallot {
  return { choice: longest(options, max).join(separator), follows: 'options' };
}

/** The longest ballot that gives each of several things a number from `min` to `max`. @param follows the name of the setting */
export function fullestGrades(things: readonly Option[], min: number, max: number, follows: string): FullBallot {
  const grade = String(min).length > String(max).length ? min : max;
  return { choice: formatPairs(new Map(things.map(({ key }) => [key, grade]))), follows };
}

/**
 * The longest ballot that spreads a budget of whole points, at most `max` of them on one option. Naming one more option always
 * adds more bytes than one more digit does, and an option’s second digit costs fewer points than its third.
 */
export function fullestSpread(options: readonly Option[], budget: number, max: number): FullBallot {
  const keys = longest(options, budget);
  const given = new Map(keys.map((key) => [key, 1]));
  let left = budget - given.size;
  for (let points = 1; left >= points * 9 && points * 10 <= max; points *= 10) {
    for (const key of keys) {
      if (left < points * 9) break;
      given.set(key, points * 10);
      left -= points * 9;
    }
  }
  // The points that are left make no number longer, but a poll may require that all points are spent.
  for (const key of keys) {
    const more = Math.min(left, max - (given.get(key) ?? 0));
    given.set(key, (given.get(key) ?? 0) + more);
    left -= more;
  }
  return { choice: formatPairs(given), follows: 'options' };
}

/** The `most` longest keys, in the poll’s order. */
function longest(options: readonly Option[], most: number): string[] {
  const chosen = new Set(
    options
      .map(({ key }) => key)
      .sort((a, b) => b.length - a.length)
      .slice(0, most),
  );
  return options.map(({ key }) => key).filter((key) => chosen.has(key));
}
