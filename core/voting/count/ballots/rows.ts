import type { Ballot } from '../ballot.ts';
import { NONE } from '../entries/columns.ts';
import { idOf, MAX_PACKETS } from '../packet.ts';
import { hashOf } from '../partition.ts';
import { CastBook, NO_CAST } from './casts.ts';

/** For how many ballots there is room at first. */
const FIRST_CAPACITY = 16;
/** With more casts than this for each ballot, most belong to none any more. */
const CASTS_PER_BALLOT = 2;
const MIN_CASTS = 4_096;

/**
 * Ballots in columns, one row each: an object per ballot would take several times the memory, and making one would cost more
 * than counting a vote. Rows are only added, never removed.
 */
export class BallotRows {
  readonly voters: string[] = [];
  /** The hash of each voter’s id. */
  hashes = new Uint32Array(FIRST_CAPACITY);
  /** The numbers of the casts in `book`. */
  casts = new Uint32Array(FIRST_CAPACITY);
  times = new Float64Array(FIRST_CAPACITY);
  numbers = new Float64Array(FIRST_CAPACITY);
  /** 0 if the vote had none. */
  connections = new Float64Array(FIRST_CAPACITY);
  /** How many votes were used; 0 if that is not limited. */
  votes = new Uint32Array(FIRST_CAPACITY);
  book = new CastBook();
  /** The newest packet of each ballot. */
  private packets = new Float64Array(FIRST_CAPACITY);
  /** The packets before the newest, the oldest first, of the ballots that remember several. */
  private readonly older = new Map<number, number[]>();
  private readonly index = new Map<string, number>();

  get size(): number {
    return this.voters.length;
  }

  /** The row of a voter; undefined for a voter without a ballot. */
  rowOf(voter: string): number | undefined {
    return this.index.get(voter);
  }

  /** Adds a row for a new voter, as if the ballot had been withdrawn. */
  insert(voter: string): number {
    const row = this.voters.length;
    if (row === this.hashes.length) this.widen();
    this.voters.push(voter);
    this.index.set(voter, row);
    this.hashes[row] = hashOf(voter);
    this.casts[row] = NO_CAST;
    this.numbers[row] = NONE;
    this.packets[row] = NONE;
    return row;
  }

  /** Writes a whole ballot, over the one of the voter if there is one. @returns the row */
  put(voter: string, { choice, atMs, n, connection, votes, packets = [] }: Ballot): number {
    const row = this.rowOf(voter) ?? this.insert(voter);
    this.casts[row] = this.book.numberOf(choice);
    this.times[row] = atMs;
    this.numbers[row] = n ?? NONE;
    this.connections[row] = connection ?? 0;
    this.votes[row] = votes ?? 0;
    this.forgetPackets(row);
    for (const packet of packets) this.addPacket(row, packet);
    return row;
  }

  at(row: number): Ballot {
    const n = this.numbers[row] as number;
    const packets = this.packetsOf(row);
    return {
      choice: this.book.texts[this.casts[row] as number] as string,
      n: n === NONE ? undefined : n,
      connection: this.connections[row] || undefined,
      atMs: this.times[row] as number,
      votes: this.votes[row] || undefined,
      packets: packets.length > 0 ? packets : undefined,
    };
  }

  /** Whether the ballot remembers a packet. */
  hasPacket(row: number, packet: number): boolean {
    return this.packets[row] === packet || this.older.get(row)?.includes(packet) === true;
  }

  /** The packets that the ballot remembers, the newest last. */
  packetsOf(row: number): readonly number[] {
    const newest = this.packets[row] as number;
    return newest === NONE ? [] : [...(this.older.get(row) ?? []), newest];
  }

  addPacket(row: number, packet: number): void {
    const before = this.packets[row] as number;
    this.packets[row] = packet;
    if (before === NONE) return;
    const older = this.older.get(row);
    if (!older) this.older.set(row, [before]);
    else {
      older.push(before);
      if (older.length >= MAX_PACKETS) older.shift();
    }
  }

  forgetPackets(row: number): void {
    if (this.packets[row] === NONE) return;
    this.packets[row] = NONE;
    this.older.delete(row);
  }

  /** Forgets the packets with the packet id of `packet`. */
  forgetId(row: number, packet: number): void {
    const newest = this.packets[row] as number;
    if (newest === NONE) return;
    const id = idOf(packet);
    const older = this.older.get(row);
    if (idOf(newest) === id) this.packets[row] = older?.pop() ?? NONE;
    if (!older) return;
    for (let i = 0; i < older.length; i++) if (idOf(older[i] as number) === id) older.splice(i--, 1);
    if (older.length === 0) this.older.delete(row);
  }

  /** Drops the casts that no ballot has, if there are many. Changes the numbers of casts. */
  tidy(): void {
    if (this.book.texts.length < Math.max(MIN_CASTS, this.size * CASTS_PER_BALLOT)) return;
    const { texts } = this.book;
    this.book = new CastBook();
    for (let row = 0; row < this.size; row++) {
      this.casts[row] = this.book.numberOf(texts[this.casts[row] as number] as string);
    }
  }

  private widen(): void {
    const size = this.hashes.length * 2;
    this.hashes = wider(this.hashes, new Uint32Array(size));
    this.casts = wider(this.casts, new Uint32Array(size));
    this.times = wider(this.times, new Float64Array(size));
    this.numbers = wider(this.numbers, new Float64Array(size));
    this.connections = wider(this.connections, new Float64Array(size));
    this.votes = wider(this.votes, new Uint32Array(size));
    this.packets = wider(this.packets, new Float64Array(size));
  }
}

function wider<Column extends Uint32Array | Float64Array>(column: Column, copy: Column): Column {
  copy.set(column);
  return copy;
}
