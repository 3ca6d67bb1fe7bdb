import type { RejectionCounts } from '../accounting.ts';
import type { FoundEntry, RoundVotes, VoteEntry } from '../entry.ts';
import { ByteReader, ByteWriter, MalformedBytes } from './bytes.ts';
import { checksum } from './checksum.ts';
import { readVotes, writeVotes } from './vote-bytes.ts';

/** The first byte of an entry that is not JSON, in this and all later formats. No UTF-8 text begins with it. */
const MAGIC = 0xb7;
/** The format that is written here. */
const BINARY_FORMAT = 2;
/** The magic byte, the format, and the checksum of everything else (with the format), which takes four bytes. */
const HEADER = 6;
const CHECKSUM_AT = 2;

const writer = new ByteWriter();

/**
 * Votes as bytes: the magic byte, the format (2) and the checksum; then producer, sequence, time, refusals, and the rounds, each
 * with its poll, number, rejections and votes (`writeVotes`). Numbers are LEB128; see `ByteWriter`.
 *
 * @throws RangeError if a number is not a natural one
 */
export function bytesOfVotes({ producer, sequence, atMs, rounds, refused }: VoteEntry): Buffer {
  writer.clear();
  writer.byte(MAGIC);
  writer.byte(BINARY_FORMAT);
  writer.uint32(0);
  writer.string(producer);
  writer.uint(sequence);
  writer.double(atMs);
  writeCounts(refused);
  writer.uint(rounds.length);
  for (const { poll, round, rejected, votes } of rounds) {
    writer.string(poll);
    writer.uint(round);
    writeCounts(rejected);
    writeVotes(writer, votes);
  }
  const bytes = writer.copy();
  bytes.writeUInt32LE(seal(bytes), CHECKSUM_AT);
  return bytes;
}

/** True if the bytes are an entry in this or a later format, or a damaged one. */
export function isBinary(bytes: Uint8Array): boolean {
  return bytes[0] === MAGIC;
}

/** Reads an entry for which `isBinary` is true. Never throws. */
export function readBinary(bytes: Buffer): FoundEntry {
  if (bytes.length <= HEADER) return { type: 'unreadable', why: 'it is cut off', content: bytes };
  if (bytes.readUInt32LE(CHECKSUM_AT) !== seal(bytes)) {
    return { type: 'unreadable', why: 'its checksum is wrong', content: bytes };
  }
  const format = bytes[1] as number;
  if (format > BINARY_FORMAT) return { type: 'newer', format };
  if (format !== BINARY_FORMAT) return { type: 'unreadable', why: 'without a valid format', content: bytes };
  try {
    return readBody(new ByteReader(bytes, HEADER));
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error;
    return { type: 'unreadable', why: error.message, content: bytes };
  }
}

function readBody(from: ByteReader): VoteEntry {
  const producer = from.string();
  const sequence = from.uint();
  const atMs = from.double();
  if (!Number.isFinite(atMs)) throw new MalformedBytes('votes without a time');
  const refused = readCounts(from);
  const rounds: RoundVotes[] = [];
  for (let left = from.count(); left > 0; left--) {
    const poll = from.string();
    const round = from.uint();
    const rejected = readCounts(from);
    // In the order in which brokers have always written them, because audit bundles contain the text of entries.
    rounds.push({ poll, round, votes: readVotes(from), rejected });
  }
  if (from.left > 0) throw new MalformedBytes('there is something behind it');
  return { type: 'votes', producer, sequence, atMs, rounds, refused };
}

function writeCounts(counts: RejectionCounts): void {
  const all = Object.entries(counts);
  writer.uint(all.length);
  for (const [reason, count] of all) {
    writer.string(reason);
    writer.uint(count);
  }
}

function readCounts(from: ByteReader): RejectionCounts {
  const count = from.count();
  const counts: [string, number][] = [];
  for (let i = 0; i < count; i++) counts.push([from.string(), from.uint()]);
  return Object.fromEntries(counts);
}

/** The checksum of an entry. The format is part of it, so that a damaged one is not mistaken for a newer one. */
function seal(bytes: Uint8Array): number {
  return (checksum(bytes, HEADER) ^ Math.imul(bytes[1] as number, 0x9e3779b1)) >>> 0;
}
