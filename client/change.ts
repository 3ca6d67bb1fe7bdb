import type { Result } from '../core/voting/result/result.ts';

/** A `change` event: the fields that changed (null if removed) and the options that changed. */
export type ResultChange = { readonly [field: string]: unknown } & { readonly options?: Result['options'] };

/** Applies a change to a result. */
export function withChange(result: Result, { options = [], ...fields }: ResultChange): Result {
  const changed = new Map<string, Result['options'][number]>(options.map((option) => [option.key, option]));
  const merged = result.options.map((option) => changed.get(option.key) ?? option);
  return { ...result, ...fields, options: merged } as Result;
}
