import { isUtf8 } from 'node:buffer';

const NUL = 0x00;
const HASH = 0x23;
const PLUS = 0x2b;
const FIRST_BEYOND_ASCII = 0x80;
/** All payloads of one byte, by that byte. */
const SINGLE = Array.from({ length: 256 }, (_, byte) => Buffer.from([byte]));

/** A packet that a client may not send; the connection must be closed [MQTT-4.8.0-1]. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation';
}

/** Where the part of a packet after its fixed header begins. */
export function bodyOf(bytes: Buffer, start: number): number {
  let at = start + 1;
  while (((bytes[at] as number) & 0x80) !== 0) at++;
  return at + 1;
}

/** Reads the fields of one packet. Every method throws a `ProtocolViolation` if there is no valid field. */
export class PacketReader {
  private readonly bytes: Buffer;
  private readonly end: number;
  private at: number;

  constructor(bytes: Buffer, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get isAtEnd(): boolean {
    return this.at === this.end;
  }

  /** Where the next field begins. */
  get position(): number {
    return this.at;
  }

  byte(): number {
    this.skip(1);
    return this.bytes[this.at - 1] as number;
  }

  number(): number {
    this.skip(2);
    return this.bytes.readUInt16BE(this.at - 2);
  }

  /** A Variable Byte Integer, of at most four bytes and no more than it needs [MQTT5-1.5.5-1]. */
  variable(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) << shift;
      if (byte === 0 && shift > 0) break;
      if (byte < 0x80) return value;
    }
    throw new ProtocolViolation('a Variable Byte Integer has too many bytes');
  }

  packetId(): number {
    const id = this.number();
    if (id === 0) throw new ProtocolViolation('a packet id must not be 0');
    return id;
  }

  /** UTF-8 text without U+0000 [MQTT-1.5.3-1, 1.5.3-2]. */
  text(): string {
    const start = this.string(false);
    return this.bytes.toString('utf8', start, this.at);
  }

  /** Like `text`, but only checks it. */
  skipText(): void {
    this.string(false);
  }

  /** A copy of binary data, which begins with its length. */
  binary(): Buffer {
    const length = this.number();
    this.skip(length);
    return Buffer.from(this.bytes.subarray(this.at - length, this.at));
  }

  /** Text of at least one character without wildcards [MQTT-4.7.3-1, 3.3.2-2]. */
  topicName(): string {
    const start = this.string(true);
    if (start === this.at) throw new ProtocolViolation('a topic must not be empty');
    return this.bytes.toString('utf8', start, this.at);
  }

  topicFilter(): string {
    const filter = this.text();
    const levels = filter.split('/');
    const isBad = (level: string, i: number) =>
      level.length > 1 ? /[+#]/.test(level) : level === '#' && i < levels.length - 1;
    if (filter === '') throw new ProtocolViolation('a topic filter must not be empty');
    if (levels.some(isBad)) throw new ProtocolViolation('a wildcard must be a whole level, and # the last one');
    return filter;
  }

  /** Skips `expected` and returns true, if these bytes come next. */
  skipIf(expected: Buffer): boolean {
    const { bytes, at } = this;
    const { length } = expected;
    if (at + length > this.end) return false;
    // For the length of a topic, this is faster than a call of `Buffer.compare`.
    for (let i = 0; i < length; i++) if (bytes[at + i] !== expected[i]) return false;
    this.at += length;
    return true;
  }

  /** The bytes from `start` to the next field. */
  since(start: number): Buffer {
    return this.bytes.subarray(start, this.at);
  }

  /** The rest of the packet. Must not be changed: payloads of one byte share their memory, because most votes are one byte. */
  rest(): Buffer {
    if (this.end - this.at === 1) return SINGLE[this.bytes[this.at] as number] as Buffer;
    return this.bytes.subarray(this.at, this.end);
  }

  skip(length: number): void {
    this.at += length;
    if (this.at > this.end) throw new ProtocolViolation('the packet is shorter than its fields');
  }

  finish(): void {
    if (!this.isAtEnd) throw new ProtocolViolation('the packet is longer than its fields');
  }

  /** Checks a string and skips it, without decoding it. Returns where it begins. */
  private string(isTopicName: boolean): number {
    const length = this.number();
    const start = this.at;
    this.skip(length);
    let isAscii = true;
    for (let i = start; i < this.at; i++) {
      const byte = this.bytes[i] as number;
      if (byte === NUL) throw new ProtocolViolation('text must not contain U+0000');
      if (isTopicName && (byte === PLUS || byte === HASH)) throw new ProtocolViolation('a topic has no wildcards');
      if (byte >= FIRST_BEYOND_ASCII) isAscii = false;
    }
    if (!isAscii && !isUtf8(this.bytes.subarray(start, this.at))) throw new ProtocolViolation('text must be UTF-8');
    return start;
  }
}
