import type { Choice } from '../tally.ts';
import type { Vote } from '../vote.ts';

/** Stands for a missing number in a column. All real values are at least 0. */
export const NONE = -1;

/** The bits of `VoteColumns.flags`. */
export const FLAG = { dup: 1, mayRepeat: 2 } as const;

/** A packet is its packet id times this, plus a hash; see `packetOf`. */
const HASHES = 2 ** 32;
/** For how many votes there is room at first. */
const FIRST_CAPACITY = 16;

const NO_NUMBERS = new Float64Array(0);
const NO_IDS = new Int32Array(0);
const NO_HASHES = new Uint32Array(0);

/**
 * Votes in order of arrival, as columns: an object per vote would cost more than counting it. Voters and choices are named once
 * and referred to by index. A column is empty unless a vote has a value in it, so read the numbers of a vote by `n`, `t`,
 * `connection` and `packet`, which return `NONE` then.
 */
export class VoteColumns implements Iterable<Vote> {
  /** The number of votes. */
  length = 0;
  /** The distinct voters, in the order of their first vote. */
  readonly voters: string[] = [];
  /** The distinct choices, in the order of their first vote. */
  readonly choices: Choice[] = [];
  /** For each vote, the index of its voter. May be longer than `length`, like all columns. */
  voterOf: Uint32Array;
  /** For each vote, the index of its choice. */
  choiceOf: Uint32Array;
  /** The sum of what applies of `FLAG`. */
  flags: Uint8Array;
  connections: Float64Array = NO_NUMBERS;
  packetIds: Int32Array = NO_IDS;
  /** Only meaningful for votes with a packet id. */
  packetHashes: Uint32Array = NO_HASHES;
  numbers: Float64Array = NO_NUMBERS;
  times: Float64Array = NO_NUMBERS;
  /** The place of each voter and choice, made once votes are added. */
  private voterIndex: Map<string, number> | undefined;
  private choiceIndex: Map<Choice, number> | undefined;

  /** @param capacity for how many votes to make room at first */
  constructor(capacity = FIRST_CAPACITY) {
    this.voterOf = new Uint32Array(capacity);
    this.choiceOf = new Uint32Array(capacity);
    this.flags = new Uint8Array(capacity);
  }

  static of(votes: Iterable<Vote>): VoteColumns {
    const columns = new VoteColumns();
    for (const vote of votes) columns.addVote(vote);
    return columns;
  }

  /** Adds a vote. Numbers that it does not have are `NONE`. @param flags the sum of what applies of `FLAG` */
  add(
    voter: string,
    choice: Choice,
    connection: number,
    packetId: number,
    packetHash: number,
    n: number,
    t: number,
    flags: number,
  ): void {
    const i = this.length++;
    if (i >= this.voterOf.length) this.grow();
    this.voterOf[i] = this.indexOfVoter(voter, i);
    this.choiceOf[i] = this.indexOfChoice(choice);
    this.flags[i] = flags;
    if (connection !== NONE || this.connections !== NO_NUMBERS) {
      if (this.connections === NO_NUMBERS) this.connections = this.column(i);
      this.connections[i] = connection;
    }
    if (packetId !== NONE || this.packetIds !== NO_IDS) {
      if (this.packetIds === NO_IDS) {
        this.packetIds = new Int32Array(this.voterOf.length).fill(NONE, 0, i);
        this.packetHashes = new Uint32Array(this.voterOf.length);
      }
      this.packetIds[i] = packetId;
      this.packetHashes[i] = packetHash;
    }
    if (n !== NONE || this.numbers !== NO_NUMBERS) {
      if (this.numbers === NO_NUMBERS) this.numbers = this.column(i);
      this.numbers[i] = n;
    }
    if (t !== NONE || this.times !== NO_NUMBERS) {
      if (this.times === NO_NUMBERS) this.times = this.column(i);
      this.times[i] = t;
    }
  }

  /** Adds a vote that is an object already. */
  addVote({ device, choice, connection = NONE, packet = NONE, n = NONE, t = NONE, dup, mayRepeat }: Vote): void {
    const id = packet === NONE ? NONE : Math.floor(packet / HASHES);
    const hash = packet === NONE ? 0 : packet % HASHES;
    const flags = (dup ? FLAG.dup : 0) + (mayRepeat ? FLAG.mayRepeat : 0);
    this.add(device, choice, connection, id, hash, n, t, flags);
  }

  /** Removes all votes and keeps the memory for the next ones. */
  clear(): void {
    this.length = 0;
    this.voters.length = 0;
    this.choices.length = 0;
    this.voterIndex?.clear();
    this.choiceIndex?.clear();
    this.connections = this.numbers = this.times = NO_NUMBERS;
    this.packetIds = NO_IDS;
    this.packetHashes = NO_HASHES;
  }

  device(i: number): string {
    return this.voters[this.voterOf[i] as number] as string;
  }

  choice(i: number): Choice {
    return this.choices[this.choiceOf[i] as number] as Choice;
  }

  connection(i: number): number {
    return this.connections === NO_NUMBERS ? NONE : (this.connections[i] as number);
  }

  /** See `Vote.packet`. */
  packet(i: number): number {
    const id = this.packetIds === NO_IDS ? NONE : (this.packetIds[i] as number);
    return id === NONE ? NONE : id * HASHES + (this.packetHashes[i] as number);
  }

  n(i: number): number {
    return this.numbers === NO_NUMBERS ? NONE : (this.numbers[i] as number);
  }

  t(i: number): number {
    return this.times === NO_NUMBERS ? NONE : (this.times[i] as number);
  }

  dup(i: number): boolean {
    return ((this.flags[i] as number) & FLAG.dup) !== 0;
  }

  mayRepeat(i: number): boolean {
    return ((this.flags[i] as number) & FLAG.mayRepeat) !== 0;
  }

  /** One vote as an object. */
  at(i: number): Vote {
    const some = (value: number) => (value === NONE ? undefined : value);
    return {
      device: this.device(i),
      choice: this.choice(i),
      n: some(this.n(i)),
      t: some(this.t(i)),
      dup: this.dup(i),
      connection: some(this.connection(i)),
      packet: some(this.packet(i)),
      mayRepeat: this.mayRepeat(i),
    };
  }

  *[Symbol.iterator](): Generator<Vote> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }

  private indexOfVoter(voter: string, i: number): number {
    // Packets of one connection come together, so the voter is often that of the vote before.
    const last = i === 0 ? undefined : (this.voterOf[i - 1] as number);
    if (last !== undefined && this.voters[last] === voter) return last;
    this.voterIndex ??= indexOf(this.voters);
    return placed(this.voters, this.voterIndex, voter);
  }

  private indexOfChoice(choice: Choice): number {
    this.choiceIndex ??= indexOf(this.choices);
    return placed(this.choices, this.choiceIndex, choice);
  }

  private column(filled: number): Float64Array {
    return new Float64Array(this.voterOf.length).fill(NONE, 0, filled);
  }

  private grow(): void {
    const size = Math.max(FIRST_CAPACITY, this.voterOf.length * 2);
    const larger = <Column extends Uint32Array | Uint8Array | Int32Array | Float64Array>(
      column: Column,
      copy: Column,
    ): Column => {
      copy.set(column);
      return copy;
    };
    this.voterOf = larger(this.voterOf, new Uint32Array(size));
    this.choiceOf = larger(this.choiceOf, new Uint32Array(size));
    this.flags = larger(this.flags, new Uint8Array(size));
    if (this.connections !== NO_NUMBERS) this.connections = larger(this.connections, new Float64Array(size));
    if (this.numbers !== NO_NUMBERS) this.numbers = larger(this.numbers, new Float64Array(size));
    if (this.times !== NO_NUMBERS) this.times = larger(this.times, new Float64Array(size));
    if (this.packetIds === NO_IDS) return;
    this.packetIds = larger(this.packetIds, new Int32Array(size));
    this.packetHashes = larger(this.packetHashes, new Uint32Array(size));
  }
}

function indexOf(names: readonly string[]): Map<string, number> {
  return new Map(names.map((name, i) => [name, i]));
}

/** The place of a name, which is added if it is new. */
function placed(names: string[], index: Map<string, number>, name: string): number {
  const known = index.get(name);
  if (known !== undefined) return known;
  index.set(name, names.length);
  return names.push(name) - 1;
}
