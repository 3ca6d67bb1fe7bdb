import { ByteReader, ByteWriter, MalformedBytes } from '../entries/bytes.ts';
import { NONE } from '../entries/columns.ts';
import { hashOf } from '../partition.ts';
import type { BallotRows } from './rows.ts';

/** The first byte of a page: its format. */
const FORMAT = 1;
/** The most ballots that a page holds on average. Beyond, the round is spread over more pages, by `GROWTH`. */
const PAGE_BALLOTS = 64;
const GROWTH = 4;
/** The bits of the hash cannot tell more pages apart. */
const MAX_PAGES = 2 ** 18;
/** What a ballot has; the sum of what applies. */
const HAS = { n: 1, connection: 2, votes: 4, packets: 8, oddTime: 16, oddNumber: 32 } as const;
const HASHES = 2 ** 32;

const writer = new ByteWriter();

/**
 * The page of a voter. It uses other bits of the hash than `partitionOf`, or all voters of a partition would be in a few pages.
 *
 * @param hash the hash of the voter’s id
 * @param pages over how many pages the round is spread: a power of two
 */
export function pageOf(hash: number, pages: number): number {
  return (hash >>> 12) & (pages - 1);
}

/** The page of a voter by its id. */
export function pageOfVoter(voter: string, pages: number): number {
  return pageOf(hashOf(voter), pages);
}

/** How many pages this many ballots are spread over. */
export function pagesFor(ballots: number): number {
  let pages = 1;
  while (pages < MAX_PAGES && ballots > pages * PAGE_BALLOTS) pages *= GROWTH;
  return pages;
}

/**
 * Some ballots as bytes: the format, the casts that they have, the earliest time, then each ballot. Casts are named once, and
 * times are differences, because most ballots of a page share them.
 */
export function encodePage(rows: BallotRows, some: readonly number[]): Uint8Array {
  const casts = new Map<number, number>();
  let earliest = Number.POSITIVE_INFINITY;
  for (const row of some) {
    const cast = rows.casts[row] as number;
    if (!casts.has(cast)) casts.set(cast, casts.size);
    const atMs = rows.times[row] as number;
    if (isPlain(atMs)) earliest = Math.min(earliest, atMs);
  }
  if (earliest === Number.POSITIVE_INFINITY) earliest = 0;
  writer.clear();
  writer.byte(FORMAT);
  writer.uint(casts.size);
  for (const cast of casts.keys()) writer.string(rows.book.texts[cast] as string);
  writer.uint(earliest);
  writer.uint(some.length);
  for (const row of some) {
    writer.string(rows.voters[row] as string);
    writer.uint(casts.get(rows.casts[row] as number) as number);
    encodeFacts(rows, row, earliest);
  }
  return writer.copy();
}

function encodeFacts(rows: BallotRows, row: number, earliest: number): void {
  const atMs = rows.times[row] as number;
  const n = rows.numbers[row] as number;
  const connection = rows.connections[row] as number;
  const votes = rows.votes[row] as number;
  const packets = rows.packetsOf(row);
  const isOddTime = !isPlain(atMs);
  const isOddNumber = n !== NONE && !isPlain(n);
  writer.byte(
    (n === NONE ? 0 : HAS.n) +
      (connection === 0 ? 0 : HAS.connection) +
      (votes === 0 ? 0 : HAS.votes) +
      (packets.length === 0 ? 0 : HAS.packets) +
      (isOddTime ? HAS.oddTime : 0) +
      (isOddNumber ? HAS.oddNumber : 0),
  );
  if (isOddTime) writer.double(atMs);
  else writer.uint(atMs - earliest);
  if (isOddNumber) writer.double(n);
  else if (n !== NONE) writer.uint(n);
  if (connection !== 0) writer.uint(connection);
  if (votes !== 0) writer.uint(votes);
  if (packets.length === 0) return;
  writer.uint(packets.length);
  for (const packet of packets) {
    writer.uint(Math.floor(packet / HASHES));
    writer.uint32(packet % HASHES);
  }
}

/** Adds the ballots of a page to `rows`. @throws MalformedBytes if the bytes are no page that this version can read */
export function decodePage(bytes: Uint8Array, rows: BallotRows): void {
  const reader = new ByteReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  const format = reader.byte();
  if (format !== FORMAT) throw new MalformedBytes(`a page of ballots has format ${format}, which is not ${FORMAT}`);
  const casts = Array.from({ length: reader.count() }, () => rows.book.numberOf(reader.string()));
  const earliest = reader.uint();
  for (let left = reader.count(); left > 0; left--) {
    const voter = reader.string();
    const row = rows.rowOf(voter) ?? rows.insert(voter);
    const cast = casts[reader.uint()];
    if (cast === undefined) throw new MalformedBytes('a ballot has no cast');
    rows.casts[row] = cast;
    const has = reader.byte();
    rows.times[row] = has & HAS.oddTime ? reader.double() : earliest + reader.uint();
    rows.numbers[row] = has & HAS.n ? (has & HAS.oddNumber ? reader.double() : reader.uint()) : NONE;
    rows.connections[row] = has & HAS.connection ? reader.uint() : 0;
    rows.votes[row] = has & HAS.votes ? reader.uint() : 0;
    rows.forgetPackets(row);
    for (let packets = has & HAS.packets ? reader.count() : 0; packets > 0; packets--) {
      const id = reader.uint();
      rows.addPacket(row, id * HASHES + reader.uint32());
    }
  }
}

/** True for what a `ByteWriter` writes as a number without a sign. */
function isPlain(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
