import type { Result } from '../../core/voting/result.ts';

/** What a `change` event tells: the fields that changed, null for those that are gone, and the options that did. */
export type Change = { readonly [field: string]: unknown } & { readonly options?: Result['options'] };

/** The result after a change: its fields replaced, and of the options those that the change names. */
export function withChange(result: Result, { options = [], ...fields }: Change): Result {
  const changed = new Map(options.map((option) => [option.key, option]));
  return { ...result, ...fields, options: result.options.map((option) => changed.get(option.key) ?? option) };
}
