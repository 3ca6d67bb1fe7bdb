import { isUtf8 } from 'node:buffer';
import { decodeFirst } from 'cborg';
import { MAX_OBJECT_BYTES, MAX_TEXT_BYTES } from '../../core/voting/count/vote.ts';
import { type Rejection, reject } from '../../core/voting/rules/rejection.ts';

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
 * mandate, "r": round}` as JSON or CBOR, distinguished by the first byte. Zero bytes at the end are ignored, because programs
 * in C often send the one that ends a string, or a whole buffer. Never throws, whatever the device sent.
 */
export function decodePayload(payload: Buffer): BallotPaper | Rejection {
  const first = payload[0];
  if (first === undefined) return reject('empty');
  // Most payloads are one byte, so there are few of these.
  if (payload.length === 1) return (ofOneByte[first] ??= decode(payload, first));
  return decode(payload, first);
}

/** What payloads of one byte say, by that byte. */
const ofOneByte: (BallotPaper | Rejection | undefined)[] = new Array(256).fill(undefined);

function decode(payload: Buffer, first: number): BallotPaper | Rejection {
  const isMap = isCborMap(first);
  if (payload.length > (isMap || first === BRACE ? MAX_OBJECT_BYTES : MAX_TEXT_BYTES)) return reject('too-large');
  if (isMap) return fromObject(() => decodeCbor(payload), 'malformed-cbor');
  if (!isUtf8(payload)) return reject('malformed-text');
  const text = trimmed(payload.toString('utf8'));
  if (text === '') return reject('empty');
  if (first === BRACE) return fromObject(() => JSON.parse(text), 'malformed-json');
  return { choice: text };
}

/** @throws Error if the payload is not one CBOR item, with nothing but zero bytes after it */
function decodeCbor(payload: Buffer): unknown {
  const [item, rest] = decodeFirst(payload);
  if (rest.some((byte) => byte !== 0)) throw new Error('more than one item');
  return item;
}

/** The text without spaces around it, and without zero bytes at the end. */
export function trimmed(text: string): string {
  let rest = text.trim();
  while (rest.endsWith('\0')) rest = rest.slice(0, -1).trimEnd();
  return rest;
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
  const mandate = typeof m === 'string' ? trimmed(m) : undefined;
  return { choice, n: n ?? undefined, t: t ?? undefined, mandate, round: r ?? undefined };
}

/**
 * The choice as text: a string is trimmed, a number is written in digits, a list is joined with commas (null stands for a
 * position that was left out), and an object becomes `key:number` pairs. Returns undefined for anything else.
 */
function choiceText(c: unknown): string | undefined {
  if (typeof c === 'string') return trimmed(c);
  if (typeof c === 'number') return Number.isFinite(c) ? String(c) : undefined;
  if (Array.isArray(c)) return joined(c.map((part) => (part === null ? LEFT_OUT : part)));
  if (typeof c !== 'object' || c === null) return undefined;
  const pairs = Object.entries(c);
  return joined(pairs.map(([key, value]) => (isPart(value) ? `${key}:${value}` : value)));
}

/** Marks a position that was left out of a list. */
const LEFT_OUT = '-';

const isPart = (part: unknown): part is string | number => typeof part === 'string' || Number.isFinite(part);

/** Parts as one text. The space keeps the list `[3, 5]` apart from the number `3,5`. */
function joined(parts: readonly unknown[]): string | undefined {
  return parts.every(isPart) ? parts.map((part) => trimmed(String(part))).join(', ') : undefined;
}

function isCountOrAbsent(value: unknown): value is number | undefined | null {
  return value === undefined || value === null || (Number.isSafeInteger(value) && (value as number) >= 0);
}
