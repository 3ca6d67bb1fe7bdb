/** An element of DER [X.690]. */
export interface Der {
  /** The identifier, such as `TAG.sequence`. */
  readonly tag: number;
  readonly content: Buffer;
  /** The whole element, with identifier and length. */
  readonly all: Buffer;
}

export const TAG = {
  ...{ integer: 0x02, bits: 0x03, oid: 0x06, utcTime: 0x17, time: 0x18, sequence: 0x30 },
  /** The extensions of a revocation list. */
  extensions: 0xa0,
} as const;

/**
 * The elements that follow each other in bytes, one at a time: a list may have a hundred thousand. Only identifiers of one byte
 * occur in certificates and revocation lists.
 *
 * @throws Error if an element is cut off, or has a length that DER does not allow
 */
export function* derElements(bytes: Buffer): Generator<Der> {
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] as number;
    const first = bytes[at + 1] ?? 0x80;
    const more = first < 0x80 ? 0 : first & 0x7f;
    if (first === 0x80 || more > 4 || at + 2 + more > bytes.length) throw new Error(`no DER at byte ${at}`);
    const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
    const from = at + 2 + more;
    if (from + length > bytes.length) throw new Error(`the element at byte ${at} is cut off`);
    yield { tag, content: bytes.subarray(from, from + length), all: bytes.subarray(at, from + length) };
    at = from + length;
  }
}

/** A point in time in ms since 1970 [RFC 5280, 4.1.2.5]. @throws Error if the element is no time */
export function derTime({ tag, content }: Der): number {
  const text = content.toString('latin1');
  const century = tag === TAG.time ? '' : Number(text.slice(0, 2)) < 50 ? '20' : '19';
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(century + text) ?? [];
  const [year = Number.NaN, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  if (Number.isNaN(ms)) throw new Error(`${JSON.stringify(text)} is no time`);
  return ms;
}

/** An element with this content, as bytes. */
export function toDer(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  const digits = length.toString(16);
  const bytes = Buffer.from(digits.length % 2 ? `0${digits}` : digits, 'hex');
  const head = length < 0x80 ? [tag, length] : [tag, 0x80 | bytes.length, ...bytes];
  return Buffer.concat([Buffer.from(head), ...content]);
}

/** A positive whole number as an element. @param digits in hexadecimal */
export function derInteger(digits: string): Buffer {
  const number = BigInt(`0x${digits}`).toString(16);
  const bytes = Buffer.from(number.length % 2 ? `0${number}` : number, 'hex');
  // The first bit is the sign.
  return toDer(TAG.integer, ...(((bytes[0] as number) & 0x80) === 0 ? [] : [Buffer.of(0)]), bytes);
}

/** A point in time as an element [RFC 5280, 4.1.2.5]. @param ms since 1970; parts of a second are left out */
export function toDerTime(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  const isUtc = text < '2050';
  return toDer(isUtc ? TAG.utcTime : TAG.time, Buffer.from(isUtc ? text.slice(2) : text));
}
