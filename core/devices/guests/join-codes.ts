import { randomInt } from 'node:crypto';
import { Refusal } from '../../runtime/refusal.ts';
import { isSameText } from '../secret.ts';
import { keyedHash } from './credential.ts';

/** Digits of codes [Crockford's base 32]: without I, L, O and U, which are easily misread. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** The digits of a code that stand for its number, and those that prove it. 45 bits cannot be guessed at the speed of joining. */
const NUMBER_DIGITS = 3;
const PROOF_DIGITS = 9;
/** The length of a room’s code that is generated. */
const ROOM_CODE_LENGTH = 6;

/** The highest number of a code. */
export const MAX_CODE_NUMBER = 32 ** NUMBER_DIGITS - 1;
/** How long a room’s code may be, in characters. */
export const ROOM_CODE = { min: 4, max: 32 } as const;

/** A new code for a room, to be shown on the screen. */
export function newRoomCode(): string {
  return Array.from({ length: ROOM_CODE_LENGTH }, () => DIGITS[randomInt(32)]).join('');
}

/** A code as it is compared: without spaces and hyphens, and whatever its case. */
export function plainCode(code: string): string {
  return code.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
}

/** True if what somebody typed is the room’s code. */
export function isRoomCode(given: string, code: string): boolean {
  return isSameText(plainCode(given), plainCode(code));
}

/**
 * The code with a number, from 1, for one guest of an event: twelve digits in groups of four. It follows from the key, so codes
 * are not stored, and can be printed again.
 */
export function codeOf(key: string, room: string, event: string, number: number): string {
  const bytes = keyedHash(key, `join code ${room} ${event} ${number}`);
  const proof = Array.from({ length: PROOF_DIGITS }, (_, i) => DIGITS[(bytes[i] as number) % 32]);
  const digits = inDigits(number) + proof.join('');
  return digits.replace(/(.{4})(?=.)/g, '$1-');
}

/** The number of a code; undefined if the code is wrong, or of another room or event. */
export function numberOf(key: string, room: string, event: string, code: string): number | undefined {
  const digits = plainCode(code);
  const number = [...digits.slice(0, NUMBER_DIGITS)].reduce((sum, digit) => sum * 32 + DIGITS.indexOf(digit), 0);
  if (digits.length !== NUMBER_DIGITS + PROOF_DIGITS || number < 1 || number > MAX_CODE_NUMBER) return undefined;
  return isSameText(digits, plainCode(codeOf(key, room, event, number))) ? number : undefined;
}

function inDigits(number: number): string {
  let text = '';
  for (let rest = number; text.length < NUMBER_DIGITS; rest = Math.floor(rest / 32)) text = DIGITS[rest % 32] + text;
  return text;
}

/** The refusal of somebody who gives no code where one is needed. */
export function noCode(): Refusal {
  return new Refusal('join-code-needed', 'joining this room needs a code: the one on the screen, or one of your own');
}

/** The refusal of a code that is none of the room’s. */
export function wrongCode(): Refusal {
  return new Refusal('wrong-join-code', 'this join code is wrong, or no longer valid');
}
