import * as Type from 'typebox';
import type { Draft } from '../kinds/definition.ts';
import { KIND_NAMES, kinds } from '../kinds/index.ts';
import { closed, id, integer, oneOf } from '../rules/schema.ts';
import { commonSettings } from '../rules/settings.ts';
import { kindSettings } from './definition.ts';

/**
 * The properties of a draft: the settings common to all polls, and those of every kind. The schemas below only check the
 * structure; `checkDefinition` checks the meaning and lists all problems.
 */
const properties: Type.TProperties = {
  ...commonSettings,
  kind: Type.Optional(oneOf(KIND_NAMES, 'the kind of poll; default single')),
  ...Object.fromEntries(
    [...kindSettings].map(([setting, owners]) => [setting, Type.Optional(merged(setting, owners))]),
  ),
};

export const DraftSchema = Type.Unsafe<Draft>(closed({ poll: id('the poll’s id'), ...properties }));
/** Changes to a poll, with the version that they are based on. */
export const PatchSchema = Type.Unsafe<Partial<Omit<Draft, 'poll'>> & { readonly basedOn?: number }>(
  Type.Partial(Type.Object({ ...properties, basedOn: integer('the version of the poll that was read') }), {
    additionalProperties: false,
  }),
);
/** The schema of settings shared by several polls: no field is required. */
export const PartialDraftSchema = Type.Unsafe<Partial<Draft>>(
  Type.Partial(Type.Object({ poll: id('the poll’s id'), ...properties }), { additionalProperties: false }),
);

/** Merges the schemas of a setting that several kinds have. */
function merged(setting: string, owners: readonly (keyof typeof kinds)[]): Type.TSchema {
  const schemas = owners.map((owner) => ({ owner, schema: kinds[owner].settings.properties[setting] as Described }));
  const descriptions = new Map<string, string[]>();
  for (const { owner, schema } of schemas) {
    const known = descriptions.get(schema.description) ?? [];
    descriptions.set(schema.description, [...known, owner]);
  }
  const description = [...descriptions].map(([text, names]) => `${names.join(', ')}: ${text}`).join('; ');
  const words = [...new Set(schemas.flatMap(({ schema }) => schema.enum ?? []))];
  const [{ schema: first } = { schema: undefined }] = schemas;
  const isNumber = schemas.some(({ schema }) => schema.type === 'number');
  return {
    ...first,
    ...(words.length > 0 ? { enum: words } : {}),
    ...(isNumber ? { type: 'number' } : {}),
    description,
  } as Type.TSchema;
}

interface Described {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly description: string;
}
