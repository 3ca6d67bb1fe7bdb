import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { BallotFileError } from './ballot-file.ts';

/** The most bytes of one line. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const LINE_FEED = 10;

/**
 * The lines of a text file, without their ends (LF, CRLF or CR) and without a byte order mark. UTF-16 is recognised by its byte
 * order mark; other text is UTF-8, except for lines that are not valid UTF-8, which are Windows-1252. Only one line is held
 * in memory.
 */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let number = 0;
  let kept: Buffer[] = [];
  let size = 0;
  for await (const chunk of inUtf8(bytes)) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      const line = kept.length === 0 ? chunk.subarray(from, end) : Buffer.concat([...kept, chunk.subarray(from, end)]);
      [kept, size, from] = [[], 0, end + 1];
      for (const text of split(line, number)) {
        number++;
        yield text;
      }
    }
    if (from === chunk.length) continue;
    kept.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > MAX_LINE_BYTES) {
      throw new BallotFileError(
        { line: number + 1, column: 1 },
        `the line is longer than ${MAX_LINE_BYTES / 1024 / 1024} MiB; expected a text file with line breaks`,
      );
    }
  }
  if (kept.length > 0) yield* split(Buffer.concat(kept), number);
}

/** The characters 0x80 to 0x9f of Windows-1252; elsewhere it is like Latin-1. */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

/** Decodes Windows-1252. Node.js 20 decodes it as Latin-1, although it has a `TextDecoder` for it. */
function fromWindows1252(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[\x80-\x9f]/g, (sign) => WINDOWS_1252[sign.charCodeAt(0) - 0x80] as string);
}

function split(line: Buffer, number: number): string[] {
  const decoded = isUtf8(line) ? line.toString('utf8') : fromWindows1252(line);
  const text = number === 0 && decoded.startsWith('\ufeff') ? decoded.slice(1) : decoded;
  const nul = text.indexOf('\0');
  if (nul !== -1) {
    throw new BallotFileError(
      { line: number + 1, column: nul + 1 },
      'not a text file; expected text, such as a BLT, PrefLib or CSV file. Save spreadsheets as CSV',
    );
  }
  const end = text.endsWith('\r') ? text.slice(0, -1) : text;
  return end.includes('\r') ? end.split('\r') : [end];
}

/** Recodes UTF-16 to UTF-8; other bytes are left as they are. */
async function* inUtf8(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let decoder: TextDecoder | undefined;
  let isFirst = true;
  for await (const chunk of bytes) {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (isFirst) decoder = utf16Decoder(buffer);
    isFirst = false;
    yield decoder ? Buffer.from(decoder.decode(buffer, { stream: true })) : buffer;
  }
}

function utf16Decoder(start: Buffer): TextDecoder | undefined {
  if (start[0] === 0xff && start[1] === 0xfe) return new TextDecoder('utf-16le');
  if (start[0] === 0xfe && start[1] === 0xff) return new TextDecoder('utf-16be');
  return undefined;
}
