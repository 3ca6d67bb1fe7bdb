import { randomInt, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { Gate } from '../../waiting/gate.ts';

const derive = promisify<string, string, number, { N: number }, Buffer>(scrypt);

/** Digits and letters without those that look alike (Crockford’s base 32, which leaves out I, L, O and U). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** What people type for another character. */
const ALIKE: Readonly<Record<string, string>> = { O: '0', I: '1', L: '1' };
const GROUP = 4;
/** The first group names the device’s code; the others are secret: 40 bits. */
const LENGTH = 12;
/** Cost of a hash: some 20 ms. It makes up for codes that are short enough to be typed. */
const COST = 8_192;
const HASH_BYTES = 32;
/**
 * How many hashes are computed at a time in this process, for all requests together: they are slow on purpose, and libuv has four threads
 * for them and for everything else, such as files and the store.
 */
const MAX_HASHES = 2;
/** How many may wait for that: codes that are exchanged, and codes that are issued. */
const MAX_WAITING = 100;
const gate = new Gate(MAX_HASHES, MAX_WAITING, { exchanged: [], issued: [] });

/** A claim code in its two parts. */
export interface ClaimCode {
  /** Finds the device. Not secret. */
  readonly handle: string;
  readonly rest: string;
}

/** A new code: 60 random bits. */
export function newCode(): ClaimCode {
  const text = Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return { handle: text.slice(0, GROUP), rest: text.slice(GROUP) };
}

/** A code as it is printed: `7K2M-Q9XD-4TBN`. */
export function formatCode({ handle, rest }: ClaimCode): string {
  return (handle + rest).match(/.{4}/g)?.join('-') ?? '';
}

/** Reads a code as people type it: in any case, with or without separators, and with O for 0. Undefined if it is not one. */
export function parseCode(text: string): ClaimCode | undefined {
  const plain = [...text.toUpperCase().replace(/[\s\-–—]/g, '')].map((one) => ALIKE[one] ?? one).join('');
  if (plain.length !== LENGTH || [...plain].some((one) => !ALPHABET.includes(one))) return undefined;
  return { handle: plain.slice(0, GROUP), rest: plain.slice(GROUP) };
}

/**
 * The slow hash to store for the secret part of a code.
 *
 * @param why what it is for: strangers who exchange codes do not keep operators from issuing them
 * @throws Refusal busy
 */
export async function hashCode(rest: string, salt: string, why: 'exchanged' | 'issued'): Promise<string> {
  const hash = await gate.pass(why, () => derive(rest, salt, HASH_BYTES, { N: COST }));
  return hash.toString('base64url');
}
