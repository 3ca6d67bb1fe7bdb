/** Ids of polls, rooms, devices and option keys: safe as topic level, database key, tag value and log text. */
const IDENTIFIER = /^[A-Za-z0-9_-]{1,64}$/;

/** What an id may look like, in words for error messages. */
export const IDENTIFIER_RULE = '1 to 64 of the characters A-Z a-z 0-9 _ -';

/** True when `text` may name a poll, a room or a device. */
export function isIdentifier(text: unknown): text is string {
  return typeof text === 'string' && IDENTIFIER.test(text);
}
