import { constants, deflateRawSync } from 'node:zlib';

/** How a viewer wants its stream. All viewers of one form share the bytes of each frame. */
export interface Form {
  /** Whether changes may have the compact form, see `compactChange`. */
  readonly isCompact: boolean;
  readonly isGzip: boolean;
  /** Whether frames are chunks of HTTP/1.1 [RFC 9112, 7.1]; older clients read until the connection ends. */
  readonly isChunked: boolean;
}

const FORMS = Array.from({ length: 8 }, (_, i): Form => {
  return { isCompact: (i & 1) > 0, isGzip: (i & 2) > 0, isChunked: (i & 4) > 0 };
});

/** One object for each form, because there are many viewers. */
export function formOf({ isCompact, isGzip, isChunked }: Form): Form {
  return FORMS[(isCompact ? 1 : 0) + (isGzip ? 2 : 0) + (isChunked ? 4 : 0)] as Form;
}

/** Frames below this size (bytes) are not compressed: there is too little in them that repeats. */
const MIN_DEFLATED = 300;
/** The largest stored block of DEFLATE (bytes) [RFC 1951, 3.2.4]. */
const MAX_STORED = 0xffff;

/** What a gzip stream begins with [RFC 1952, 2.3]. The blocks of frames follow; it has no end, because a stream has none. */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
const CRLF = Buffer.from('\r\n');

/** A piece of a stream, encoded at most once per form, when a viewer first needs it. */
export class Frame {
  private readonly full: () => string;
  private readonly compact: (() => string) | undefined;
  private readonly encoded: (Buffer | undefined)[] = [];

  /** @param compact the text for viewers of the compact form, if it differs */
  constructor(full: () => string, compact?: () => string) {
    this.full = full;
    this.compact = compact;
  }

  /** The bytes for viewers of this form. */
  in({ isCompact, isGzip, isChunked }: Form): Buffer {
    const compact = isCompact ? this.compact : undefined;
    const form = (compact ? 1 : 0) + (isGzip ? 2 : 0) + (isChunked ? 4 : 0);
    const known = this.encoded[form];
    if (known) return known;
    const bytes = Buffer.from((compact ?? this.full)());
    const content = isGzip ? deflated(bytes) : bytes;
    const encoded = isChunked ? chunk(content) : content;
    this.encoded[form] = encoded;
    return encoded;
  }
}

/**
 * A server-sent event (WHATWG HTML, 9.2.5). The output of `JSON.stringify` contains no line breaks, so the data fits in one
 * `data` line.
 *
 * @param compact returns the data for viewers of the compact form, if it differs
 */
export function eventFrame(event: string, id: string, data: unknown, compact?: () => unknown): Frame {
  const text = (content: unknown) => `event: ${event}\nid: ${id}\ndata: ${JSON.stringify(content)}\n\n`;
  return new Frame(() => text(data), compact && (() => text(compact())));
}

/** An empty comment, which is not an event but shows proxies and clients that the connection is alive. */
export const HEARTBEAT = new Frame(() => ':\n\n');

/** A frame sent once at the start of a stream. It says how long (ms) to wait before reconnecting. */
export function retryFrame(ms: number): Frame {
  return new Frame(() => `retry: ${ms}\n\n`);
}

/** The bytes before the first frame of a stream. */
export function streamStart({ isGzip, isChunked }: Form): Buffer {
  if (!isGzip) return Buffer.alloc(0);
  return isChunked ? chunk(GZIP_HEADER) : GZIP_HEADER;
}

/** The bytes after the last frame of a stream: the last chunk, which tells an end from a broken connection. */
export function streamEnd({ isChunked }: Form): Buffer {
  return Buffer.from(isChunked ? '0\r\n\r\n' : '');
}

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CRLF]);
}

/**
 * Blocks of DEFLATE that end at a byte and refer to nothing before them, so that they may follow any others: one encoding
 * serves all viewers, whatever each has received before, and none needs a compressor of its own.
 */
function deflated(bytes: Buffer): Buffer {
  if (bytes.length >= MIN_DEFLATED) return deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
  const head = Buffer.alloc(5);
  head.writeUInt16LE(bytes.length, 1);
  head.writeUInt16LE(MAX_STORED - bytes.length, 3);
  return Buffer.concat([head, bytes]);
}
