import * as Type from 'typebox';

/** Building blocks for settings. A schema defines a TypeScript type, the API’s validation and the JSON Schema of poll files. */

/** The type of a schema’s values, deeply read-only. */
export type Frozen<T> = T extends readonly (infer Element)[]
  ? readonly Frozen<Element>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

/** One of several fixed words. */
export const oneOf = <const Word extends string>(words: readonly Word[], description: string) =>
  Type.Unsafe<Word>({ type: 'string', enum: [...words], description });

/** An object that allows no other properties. */
export const closed = <Properties extends Type.TProperties>(properties: Properties, description?: string) =>
  Type.Object(properties, { additionalProperties: false, ...(description ? { description } : {}) });

export const integer = (description: string) => Type.Integer({ description });
export const number = (description: string) => Type.Number({ description });
export const boolean = (description: string) => Type.Boolean({ description });
export const string = (description: string) => Type.String({ description });

/** The maximum length of a list of strings in a definition. */
const MAX_LIST = 1_000;

export const strings = (description: string) => Type.Array(Type.String(), { maxItems: MAX_LIST, description });

/** Strings by key. Not `Type.Record`, because that would add TypeBox’s whole type engine to the pages. */
export const stringPairs = (description: string) =>
  Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: { type: 'string' }, description });

/**
 * The id of a poll, room, device or group. The schema does not check its form, because later checks give better error messages.
 */
export const id = (description: string) =>
  Type.String({ description: `${description}: 1 to 64 characters from A-Z a-z 0-9 _ -` });
