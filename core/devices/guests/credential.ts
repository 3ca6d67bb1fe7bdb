import { createHmac, randomBytes } from 'node:crypto';
import { isSameText } from '../secret.ts';

/** The prefix of every guest id. Registered devices cannot use it. */
const PREFIX = 'guest-';
/** The prefix of the ids of guests that joined with a code of their own. */
const CODE_PREFIX = 'guest-code-';
/** The version of the form of passwords. Those of version 0.1 were for every room and for ever, and are no longer accepted. */
const FORM = 'g2';
const PASSWORD = /^g2\.([\w-]*)\.([\w-]*)\.([0-9a-z]{1,9})\.([\w-]{32})$/;

/** For how many hours credentials can be valid at most. */
export const MAX_GUEST_HOURS = 8_760;

/** What the credentials of a guest say. */
export interface Guest {
  readonly device: string;
  /** The room in which the guest may vote; empty for the devices of a rehearsal, whose poll has no room. */
  readonly room: string;
  /** The event for which they were issued: they end with it. See `GuestBook.eventOf`. */
  readonly event: string;
  readonly expiresAtMs: number;
}

/** The credentials of a guest: its id, which is also its MQTT client id and user name, and its password. */
export interface GuestCredentials {
  readonly device: string;
  readonly password: string;
  readonly expiresAtMs: number;
}

/** True if an id is reserved for guests. */
export function isGuestId(device: string): boolean {
  return device.startsWith(PREFIX);
}

/** True if a guest has its id from a join code, so that whoever has the code gets the same id again. */
export function isCodeGuestId(device: string): boolean {
  return device.startsWith(CODE_PREFIX);
}

/** A new id that nobody else has. */
export function newGuestId(): string {
  return PREFIX + randomBytes(12).toString('hex');
}

/** The id of the guest with a join code. It does not show which code it is. */
export function codeGuestId(key: string, room: string, event: string, number: number): string {
  return CODE_PREFIX + keyedHash(key, `code guest ${room} ${event} ${number}`).toString('hex').slice(0, 20);
}

/** The password of a guest. It contains what is known about the guest and a keyed hash of it, so nothing needs to be stored. */
export function passwordOf(key: string, { device, room, event, expiresAtMs }: Guest): string {
  const expires = Math.floor(expiresAtMs / 1_000).toString(36);
  return [FORM, room, event, expires, signature(key, device, room, event, expires)].join('.');
}

/** What a password says about its guest; undefined if it was not issued with this key to this guest. */
export function readPassword(key: string, device: string, password: string): Guest | undefined {
  const [, room = '', event = '', expires = '', given = ''] = PASSWORD.exec(password) ?? [];
  if (given === '' || !isSameText(given, signature(key, device, room, event, expires))) return undefined;
  return { device, room, event, expiresAtMs: Number.parseInt(expires, 36) * 1_000 };
}

/** HMAC-SHA-256 of a text. The text begins with its purpose, so that no two purposes share a hash. */
export function keyedHash(key: string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function signature(key: string, device: string, room: string, event: string, expires: string): string {
  const text = `guest ${device} ${room} ${event} ${expires}`;
  return keyedHash(key, text).toString('base64url').slice(0, 32);
}
