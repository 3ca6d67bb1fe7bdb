import { ENTRY_FORMAT, type Entry, type FoundEntry } from '../entry.ts';
import { bytesOfVotes, isBinary, readBinary } from './binary.ts';
import { jsonOf, readJson } from './json.ts';

/**
 * An entry as the log stores it. Votes are bytes (`bytesOfVotes`), and markers are JSON, so that they can be read without
 * Pollcast, and so that there is only one way to write a definition.
 *
 * @param format the newest format that all who read the log can read
 */
export function encodeEntry(entry: Entry, format = ENTRY_FORMAT): Buffer {
  return format === 1 || entry.type !== 'votes' ? Buffer.from(jsonOf(entry)) : bytesOfVotes(entry);
}

/** The inverse of `encodeEntry` and `entryText`. @throws SyntaxError if it is not an entry that this version can read */
export function decodeEntry(stored: Buffer | string): Entry {
  const entry = readEntry(stored);
  if (entry.type === 'newer') throw new SyntaxError(`the entry has format ${entry.format}, which is newer`);
  if (entry.type === 'unreadable') throw new SyntaxError(`not a log entry: ${entry.why}`);
  return entry;
}

/** Reads what the log stores. Never throws: an entry that cannot be decoded must not stop those after it. */
export function readEntry(stored: Buffer | string): FoundEntry {
  if (typeof stored === 'string') return readJson(stored);
  return isBinary(stored) ? readBinary(stored) : readJson(stored.toString());
}
