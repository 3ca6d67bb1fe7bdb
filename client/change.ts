import type { Result } from '../core/voting/result/result.ts';

/**
 * A `change` event: the fields that changed (null if removed) and the options that changed. In the compact form
 * (`?changes=compact`), `add` and `of` express what they can, and the other fields the rest.
 */
export type ResultChange = { readonly [field: string]: unknown } & {
  readonly options?: Result['options'];
  /**
   * What is added to the numbers of the result: `[summand, position, position …]`. Numbers are counted from 0 as they stand in
   * the JSON with the keys of each object in the order of their UTF-16 code units; times count as ms since 1970.
   */
  readonly add?: readonly (readonly number[])[];
  /** Only with `add`: the share of each option is its count divided by this, or 0 if this is 0. */
  readonly of?: number;
};

/** A time as `toISOString` writes it. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Applies a change, of either form, to a result. */
export function withChange(result: Result, { add, of, options = [], ...fields }: ResultChange): Result {
  const changed = new Map<string, Result['options'][number]>(options.map((option) => [option.key, option]));
  const merged = result.options.map((option) => changed.get(option.key) ?? option);
  const whole = { ...result, ...fields, options: merged } as Result;
  return add ? withShares(withSums(whole, add), of) : whole;
}

/** Calls `map` for each number of a JSON value, in the order of `ResultChange.add`. @returns the value with what it returned */
export function mapNumbers(value: unknown, map: (number: number) => number): unknown {
  if (typeof value === 'number') return map(value);
  if (typeof value === 'string') return isTime(value) ? new Date(map(Date.parse(value))).toISOString() : value;
  if (Array.isArray(value)) return value.map((item) => mapNumbers(item, map));
  if (typeof value !== 'object' || value === null) return value;
  const fields = new Map<string, unknown>(Object.entries(value));
  // Setting a key again does not move it, so the fields keep their order.
  for (const key of [...fields.keys()].sort()) fields.set(key, mapNumbers(fields.get(key), map));
  return Object.fromEntries(fields);
}

function isTime(text: string): boolean {
  if (!TIME.test(text)) return false;
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text;
}

function withSums(result: Result, add: NonNullable<ResultChange['add']>): Result {
  const summands = new Map<number, number>();
  for (const [summand = 0, ...positions] of add) for (const position of positions) summands.set(position, summand);
  let position = 0;
  return mapNumbers(result, (number) => number + (summands.get(position++) ?? 0)) as Result;
}

/** The shares that follow from the numbers: of options, and the turnout among those who may vote. */
function withShares(result: Result, of: number | undefined): Result {
  const { turnout } = result;
  const share = turnout?.entitled ? turnout.voted / turnout.entitled : undefined;
  const shared = share === undefined ? result : { ...result, turnout: { ...turnout, share } };
  if (of === undefined) return shared as Result;
  const options = result.options.map((option) =>
    option.count === null || option.share === null ? option : { ...option, share: of === 0 ? 0 : option.count / of },
  );
  return { ...shared, options } as Result;
}
