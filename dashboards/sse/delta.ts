import type { OptionResult } from '../../core/voting/kinds/figures/option-result.ts';
import type { Result } from '../../core/voting/result/result.ts';

/** The difference between two results: the fields that changed (null if removed) and the options that changed. */
export type Delta = { readonly [field: string]: unknown } & { readonly options?: readonly OptionResult[] };

/** True if both results have the same options in the same order. Otherwise, a delta cannot express the difference. */
export function hasSameOptions(before: Result, after: Result): boolean {
  return (
    before.options.length === after.options.length &&
    after.options.every(({ key }, i) => key === before.options[i]?.key)
  );
}

/** The delta that turns `before` into `after`; undefined if they are the same. */
export function deltaOf(before: Result, after: Result): Delta | undefined {
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

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
