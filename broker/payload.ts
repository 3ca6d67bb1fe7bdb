import { isUtf8 } from 'node:buffer';
import { decode as decodeCbor } from 'cborg';
import { type Rejection, reject } from '../core/voting/rejection.ts';

/** The largest vote payload, bytes. */
export const MAX_VOTE_BYTES = 1024;

/** A payload taken apart, the choice still as the device wrote it. */
export interface Ballotpaper {
  readonly choice: string;
  readonly n?: number | undefined;
  readonly t?: number | undefined;
  /** The mandate that is voted for; absent: every one that the device carries, and itself. */
  readonly mandate?: string | undefined;
  /** The round that it is meant for; absent: whichever is open. */
  readonly round?: number | undefined;
}

const BRACE = 0x7b;
/** CBOR's major type 5, a map, fills the first bytes 0xa0 to 0xbf [RFC 8949, 3.1]; no UTF-8 text begins with them. */
const isCborMap = (byte: number): boolean => byte >= 0xa0 && byte <= 0xbf;

/**
 * Takes a vote payload apart: plain text (`b`), or an object `{"c": choice, "n": sequence, "t": press time, "m":
 * mandate, "r": round}` as JSON or CBOR, told apart by the first byte. Never throws, whatever the device sent.
 */
export function decodePayload(payload: Buffer): Ballotpaper | Rejection {
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

function fromObject(decode: () => unknown, malformed: 'malformed-json' | 'malformed-cbor'): Ballotpaper | Rejection {
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
 * Text as it is, a number as its digits, a list joined by commas (null: a place that is left out), an object as `key:number`
 * pairs; anything else is no choice.
 */
function choiceText(c: unknown): string | undefined {
  if (typeof c === 'string') return c.trim();
  if (typeof c === 'number') return Number.isFinite(c) ? String(c) : undefined;
  if (Array.isArray(c)) return joined(c.map((part) => (part === null ? LEFT_OUT : part)));
  if (typeof c !== 'object' || c === null) return undefined;
  const pairs = Object.entries(c);
  return joined(pairs.map(([key, value]) => (isPart(value) ? `${key}:${value}` : value)));
}

/** In a choice by places: nothing for this one. */
const LEFT_OUT = '-';

const isPart = (part: unknown): part is string | number => typeof part === 'string' || Number.isFinite(part);

function joined(parts: readonly unknown[]): string | undefined {
  return parts.every(isPart) ? parts.join(',') : undefined;
}

function isCountOrAbsent(value: unknown): value is number | undefined | null {
  return value === undefined || value === null || (Number.isSafeInteger(value) && (value as number) >= 0);
}
