import { isUtf8 } from 'node:buffer';
import { decode as decodeCbor } from 'cborg';
import { type Rejection, reject } from '../../core/voting/rules/rejection.ts';

/** The maximum size of a vote payload, in bytes. */
export const MAX_VOTE_BYTES = 1024;

/** A decoded payload. The choice is text that has not been checked yet. */
export interface BallotPaper {
  readonly choice: string;
  readonly n?: number | undefined;
  readonly t?: number | undefined;
  /** The mandate that the vote is for; if absent, the vote is for the device itself and all mandates that it holds. */
  readonly mandate?: string | undefined;
  /** The round that the vote is for; if absent, the open round. */
  readonly round?: number | undefined;
}

const BRACE = 0x7b;
/** A CBOR map (major type 5) begins with a byte from 0xa0 to 0xbf [RFC 8949, 3.1]; UTF-8 text never does. */
const isCborMap = (byte: number): boolean => byte >= 0xa0 && byte <= 0xbf;

/**
 * Decodes a vote payload: plain text (`b`), or an object `{"c": choice, "n": sequence, "t": press time, "m":
 * mandate, "r": round}` as JSON or CBOR, distinguished by the first byte. Never throws, whatever the device sent.
 */
export function decodePayload(payload: Buffer): BallotPaper | Rejection {
  if (payload.length > MAX_VOTE_BYTES) return reject('too-large');
  const first = payload[0];
  if (first === undefined) return reject('empty');
  if (isCborMap(first)) return fromObject(() => decodeCbor(payload), 'malformed-cbor');
  if (!isUtf8(payload)) return reject('malformed-text');
  const text = payload.toString('utf8').trim();
  if (text === '') return reject('empty');
  if (first === BRACE) return fromObject(() => JSON.parse(text), 'malformed-json');
  return { choice: text };
}

function fromObject(decode: () => unknown, malformed: 'malformed-json' | 'malformed-cbor'): BallotPaper | Rejection {
  let decoded: unknown;
  try {
    decoded = decode();
  } catch {
    return reject(malformed);
  }
  if (typeof decoded !== 'object' || decoded === null) return reject(malformed);
  const { c, n, t, m, r } = decoded as { c?: unknown; n?: unknown; t?: unknown; m?: unknown; r?: unknown };
  const choice = choiceText(c);
  if (choice === undefined) return reject('bad-choice');
  if (choice === '') return reject('empty');
  if (!isCountOrAbsent(n)) return reject('bad-sequence');
  if (!isCountOrAbsent(t)) return reject('bad-time');
  if (m !== undefined && m !== null && typeof m !== 'string') return reject('unknown-mandate');
  if (!isCountOrAbsent(r)) return reject('bad-sequence');
  return { choice, n: n ?? undefined, t: t ?? undefined, mandate: m ?? undefined, round: r ?? undefined };
}

/**
 * The choice as text: a string is trimmed, a number is written in digits, a list is joined with commas (null stands for a
 * position that was left out), and an object becomes `key:number` pairs. Returns undefined for anything else.
 */
function choiceText(c: unknown): string | undefined {
  if (typeof c === 'string') return c.trim();
  if (typeof c === 'number') return Number.isFinite(c) ? String(c) : undefined;
  if (Array.isArray(c)) return joined(c.map((part) => (part === null ? LEFT_OUT : part)));
  if (typeof c !== 'object' || c === null) return undefined;
  const pairs = Object.entries(c);
  return joined(pairs.map(([key, value]) => (isPart(value) ? `${key}:${value}` : value)));
}

/** Marks a position that was left out of a list. */
const LEFT_OUT = '-';

const isPart = (part: unknown): part is string | number => typeof part === 'string' || Number.isFinite(part);

function joined(parts: readonly unknown[]): string | undefined {
  return parts.every(isPart) ? parts.join(',') : undefined;
}

function isCountOrAbsent(value: unknown): value is number | undefined | null {
  return value === undefined || value === null || (Number.isSafeInteger(value) && (value as number) >= 0);
}
