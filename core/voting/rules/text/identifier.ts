/** The form of ids and option keys, which makes them safe as topic levels, database keys, tag values and log text. */
const IDENTIFIER = /^[A-Za-z0-9_-]{1,64}$/;

/** The form of an id, worded for error messages. */
export const IDENTIFIER_RULE = '1 to 64 characters from A-Z a-z 0-9 _ -';

/** True when `text` is a valid id. */
export function isIdentifier(text: unknown): text is string {
  return typeof text === 'string' && IDENTIFIER.test(text);
}

/**
 * How an id that is not valid could be written: other characters, such as the colons of a MAC address, become `-`. Undefined
 * if nothing is left, or too much.
 */
export function identifierLike(text: string): string | undefined {
  const written = text.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^-+|-+$/g, '');
  return isIdentifier(written) ? written : undefined;
}
