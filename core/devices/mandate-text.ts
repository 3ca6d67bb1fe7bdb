import type { Mandate } from '../voting/poll/electorate.ts';

/** A mandate as text: `id`, `id=weight`, `id@group` or `id=weight@group`. */
export const MANDATE_RULE = 'id, id=weight, id@group or id=weight@group';

/** Parses a mandate; undefined if the text is not one. The id, weight and group still have to be checked. */
export function parseMandate(text: string): Mandate | undefined {
  const [, mandate, weight, group] = /^([^=@]+)(?:=([^=@]+))?(?:@([^=@]+))?$/.exec(text) ?? [];
  if (mandate === undefined) return undefined;
  return { mandate, ...(weight === undefined ? {} : { weight }), ...(group === undefined ? {} : { group }) };
}

/** The inverse of `parseMandate`. */
export function formatMandate({ mandate, weight, group }: Mandate): string {
  return `${mandate}${weight === undefined ? '' : `=${weight}`}${group === undefined ? '' : `@${group}`}`;
}
