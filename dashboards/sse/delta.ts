import type { OptionResult } from '../../core/voting/kinds/kind.ts';
import type { Result } from '../../core/voting/result.ts';

/** What differs between two results: the fields that changed, null for those that are gone, and the options that did. */
export type Delta = Partial<Omit<Result, 'options'>> & { readonly options?: readonly OptionResult[] };

/** True when both show the same options in the same order; where not, a delta cannot tell the difference. */
export function hasSameOptions(before: Result, after: Result): boolean {
  return (
    before.options.length === after.options.length &&
    after.options.every(({ key }, i) => key === before.options[i]?.key)
  );
}

/** The delta that turns `before` into `after` for whoever has `before`; undefined when they are the same. */
export function deltaOf(before: Result, after: Result): Delta | undefined {
  const changed: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(after)) {
    if (field !== 'options' && !isSame(before[field], value)) changed[field] = value;
  }
  for (const field of Object.keys(before)) if (!(field in after)) changed[field] = null;
  const options = after.options.filter((option, i) => !isSame(before.options[i], option));
  if (options.length > 0) changed.options = options;
  return Object.keys(changed).length > 0 ? { poll: after.poll, round: after.round, ...changed } : undefined;
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
