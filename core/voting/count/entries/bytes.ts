/** How a string is encoded, in the lowest bit of its length. JavaScript strings may contain lone surrogates; UTF-8 may not. */
const UTF16 = 1;
const LONE_SURROGATE = /\p{Surrogate}/u;
/** A number below this is one byte. */
const ONE_BYTE = 0x80;
/** The sign of a number that may be negative, and a value below which such a number is one byte. */
const NEGATIVE = 0x40;

/** The bytes were not written by a `ByteWriter`. */
export class MalformedBytes extends Error {
  override readonly name = 'MalformedBytes';
}

/**
 * A buffer that grows. Numbers are written seven bits a byte, the lowest first, and the highest bit of a byte says that there are
 * more (LEB128), because most are small.
 */
export class ByteWriter {
  private bytes = Buffer.allocUnsafe(4_096);
  private end = 0;

  /** A copy of what was written. */
  copy(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.end));
  }

  clear(): void {
    this.end = 0;
  }

  byte(value: number): void {
    if (this.end === this.bytes.length) this.reserve(1);
    this.bytes[this.end++] = value;
  }

  /** @throws RangeError if it is not an integer from 0 to 2^53 - 1 */
  uint(value: number): void {
    if (value >= 0 && value < ONE_BYTE && Number.isInteger(value)) return this.byte(value);
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} cannot be written to the vote log`);
    let rest = value;
    while (rest >= ONE_BYTE) {
      this.byte((rest % ONE_BYTE) | ONE_BYTE);
      rest = Math.floor(rest / ONE_BYTE);
    }
    this.byte(rest);
  }

  /** An integer that may be negative. Its sign is in the first byte. */
  int(value: number): void {
    const sign = value < 0 ? NEGATIVE : 0;
    const size = Math.abs(value);
    if (size < NEGATIVE && Number.isInteger(size)) return this.byte(size | sign);
    if (!Number.isSafeInteger(size)) throw new RangeError(`${value} cannot be written to the vote log`);
    this.byte((size % NEGATIVE) | sign | ONE_BYTE);
    this.uint(Math.floor(size / NEGATIVE));
  }

  uint32(value: number): void {
    this.reserve(4);
    this.end = this.bytes.writeUInt32LE(value, this.end);
  }

  double(value: number): void {
    this.reserve(8);
    this.end = this.bytes.writeDoubleLE(value, this.end);
  }

  string(text: string): void {
    const { length } = text;
    this.reserve(length + 1);
    let at = this.end + 1;
    // Ids and choices are short and ASCII, so they need no call out of JavaScript. Their length takes one byte.
    if (length < ONE_BYTE / 2) {
      let i = 0;
      for (; i < length; i++) {
        const unit = text.charCodeAt(i);
        if (unit >= ONE_BYTE) break;
        this.bytes[at++] = unit;
      }
      if (i === length) {
        this.byte(length << 1);
        this.end = at;
        return;
      }
    }
    const isUtf16 = LONE_SURROGATE.test(text);
    const encoding = isUtf16 ? 'utf16le' : 'utf8';
    const size = Buffer.byteLength(text, encoding);
    this.uint(size * 2 + (isUtf16 ? UTF16 : 0));
    this.reserve(size);
    this.end += this.bytes.write(text, this.end, encoding);
  }

  private reserve(size: number): void {
    if (this.end + size <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.end + size));
    this.bytes.copy(larger);
    this.bytes = larger;
  }
}

/** Reads what a `ByteWriter` has written. Every method throws `MalformedBytes` if it is something else. */
export class ByteReader {
  private readonly bytes: Buffer;
  private at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.bytes.length - this.at;
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw new MalformedBytes('it is cut off');
    return this.bytes[this.at++] as number;
  }

  uint(): number {
    const first = this.byte();
    if (first < ONE_BYTE) return first;
    let value = first - ONE_BYTE;
    for (let factor = ONE_BYTE; factor <= 2 ** 49; factor *= ONE_BYTE) {
      const next = this.byte();
      value += (next % ONE_BYTE) * factor;
      if (next < ONE_BYTE) return safe(value);
    }
    throw new MalformedBytes('a number is too large');
  }

  int(): number {
    const first = this.byte();
    let size = first % NEGATIVE;
    if (first >= ONE_BYTE) size = safe(size + this.uint() * NEGATIVE);
    return (first & NEGATIVE) !== 0 ? -size : size;
  }

  uint32(): number {
    this.demand(4);
    this.at += 4;
    return this.bytes.readUInt32LE(this.at - 4);
  }

  double(): number {
    this.demand(8);
    this.at += 8;
    return this.bytes.readDoubleLE(this.at - 8);
  }

  /** The number of things that follow, each of which takes at least one byte. */
  count(): number {
    const count = this.uint();
    this.demand(count);
    return count;
  }

  string(): string {
    const header = this.uint();
    const isUtf16 = (header & UTF16) !== 0;
    const size = Math.floor(header / 2);
    this.demand(size);
    this.at += size;
    return this.bytes.toString(isUtf16 ? 'utf16le' : 'utf8', this.at - size, this.at);
  }

  private demand(size: number): void {
    if (size > this.left) throw new MalformedBytes('it is cut off');
  }
}

function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw new MalformedBytes('a number is too large');
  return value;
}
