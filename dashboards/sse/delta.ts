import type { ResultChange } from '../../client/change.ts';
import type { Result } from '../../core/voting/result/result.ts';

/** True if both results have the same options in the same order. Otherwise, a change cannot express the difference. */
export function hasSameOptions(before: Result, after: Result): boolean {
  return (
    before.options.length === after.options.length &&
    after.options.every(({ key }, i) => key === before.options[i]?.key)
  );
}

/** The change that turns `before` into `after`; undefined if they are the same. `withChange` is its inverse. */
export function deltaOf(before: Result, after: Result): ResultChange | undefined {
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const changed: Record<string, unknown> = {};
  for (const [field, value] of now) {
    if (field !== 'options' && !isSame(old.get(field), value)) changed[field] = value;
  }
  for (const field of old.keys()) if (!now.has(field)) changed[field] = null;
  const options = after.options.filter((option, i) => !isSame(before.options[i], option));
  if (options.length > 0) changed.options = options;
  return Object.keys(changed).length > 0 ? { poll: after.poll, round: after.round, ...changed } : undefined;
}

/** True if two values are the same in JSON. */
export function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
