/** The form of ids and option keys, which makes them safe as topic levels, database keys, tag values and log text. */
const IDENTIFIER = /^[A-Za-z0-9_-]{1,64}$/;

/** The form of an id, worded for error messages. */
export const IDENTIFIER_RULE = '1 to 64 characters from A-Z a-z 0-9 _ -';

/** True when `text` is a valid id. */
export function isIdentifier(text: unknown): text is string {
  return typeof text === 'string' && IDENTIFIER.test(text);
}
