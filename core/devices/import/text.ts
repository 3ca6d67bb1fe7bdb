import { Refusal } from '../../runtime/refusal.ts';

/** How a file’s characters are written as bytes. */
export type Encoding = 'UTF-8' | 'UTF-16LE' | 'UTF-16BE' | 'Windows-1252';

/** UTF-16 without a byte order mark is recognised by the zero bytes of Latin letters among this many bytes. */
const SAMPLE = 512;
/** The share of characters in a sample that must be Latin letters. */
const MOSTLY = 0.4;

/** What the bytes from 0x80 to 0x9f are in Windows-1252; five of them are not used. */
const FROM_0X80 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/**
 * The text of a file as spreadsheets save it. Without a byte order mark, it is UTF-16 if every other byte is zero, UTF-8 if it
 * is valid, and otherwise Windows-1252, which is what spreadsheets in Western languages call "CSV". @throws Refusal bad-table
 */
export function decodeText(bytes: Uint8Array): { text: string; encoding: Encoding } {
  const encoding = encodingOf(bytes);
  try {
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes), encoding };
  } catch {
    if (encoding === 'UTF-8' && !hasMark(bytes, 0xef, 0xbb, 0xbf)) {
      return { text: decodeWestern(bytes), encoding: 'Windows-1252' };
    }
    throw new Refusal('bad-table', `the file begins like ${encoding} text, but is not; save it as UTF-8`);
  }
}

/** Windows-1252. Written out, because `TextDecoder` in Node.js 20 reads the bytes from 0x80 to 0x9f as control characters. */
function decodeWestern(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  return text.replace(/[\u0080-\u009f]/g, (unit) => FROM_0X80[unit.charCodeAt(0) - 0x80] ?? unit);
}

function encodingOf(bytes: Uint8Array): Encoding {
  if (hasMark(bytes, 0xff, 0xfe)) return 'UTF-16LE';
  if (hasMark(bytes, 0xfe, 0xff)) return 'UTF-16BE';
  const sample = bytes.subarray(0, SAMPLE);
  const zeros = (remainder: number) => sample.filter((byte, i) => i % 2 === remainder && byte === 0).length;
  const [even, odd] = [zeros(0), zeros(1)];
  const enough = (sample.length / 2) * MOSTLY;
  if (odd > enough && even < odd) return 'UTF-16LE';
  if (even > enough && odd < even) return 'UTF-16BE';
  return 'UTF-8';
}

function hasMark(bytes: Uint8Array, ...mark: readonly number[]): boolean {
  return mark.every((byte, i) => bytes[i] === byte);
}
