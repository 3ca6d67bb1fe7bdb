import { type ByteReader, type ByteWriter, MalformedBytes } from './bytes.ts';
import { FLAG, NONE, VoteColumns } from './columns.ts';

/** How a column of numbers is written; see `writeNumbers`. */
const COLUMN = { absent: 0, perVoter: 1, perVote: 2, somePerVote: 3 } as const;
/** How hashes of packets are written: one for each choice, because the same payload has the same hash, or one for each vote. */
const HASHES = { absent: 0, perChoice: 1, perVote: 2 } as const;
/** All votes have the flags that are below this; this itself: each vote has its own. */
const MIXED_FLAGS = FLAG.dup + FLAG.mayRepeat + 1;
/** The highest packet id that columns hold. */
const MAX_ID = 2 ** 31 - 1;

/**
 * Writes the votes of a round, column by column:
 *
 * - the number of votes, the distinct voters, and the index of each vote’s voter, unless every vote has another one;
 * - the distinct choices, and the index of each vote’s choice, unless there is only one;
 * - connections, packet ids, hashes of packets, `n`, `t` and flags.
 */
export function writeVotes(to: ByteWriter, votes: VoteColumns): void {
  const { length, voters, choices, voterOf, choiceOf } = votes;
  to.uint(length);
  if (length === 0) return;
  to.uint(voters.length);
  for (const voter of voters) to.string(voter);
  if (voters.length < length) for (let i = 0; i < length; i++) to.uint(voterOf[i] as number);
  to.uint(choices.length);
  for (const choice of choices) to.string(choice);
  if (choices.length > 1) for (let i = 0; i < length; i++) to.uint(choiceOf[i] as number);
  writeNumbers(to, votes, votes.connections);
  writeNumbers(to, votes, votes.packetIds);
  writeHashes(to, votes);
  writeNumbers(to, votes, votes.numbers);
  writeNumbers(to, votes, votes.times);
  writeFlags(to, votes);
}

/** The inverse of `writeVotes`. @throws MalformedBytes */
export function readVotes(from: ByteReader): VoteColumns {
  const length = from.count();
  const votes = new VoteColumns(length);
  votes.length = length;
  if (length === 0) return votes;
  readNames(from, votes.voters, length);
  if (votes.voters.length < length) readIndices(from, votes.voterOf, votes.voters.length);
  else for (let i = 0; i < length; i++) votes.voterOf[i] = i;
  readNames(from, votes.choices, length);
  if (votes.choices.length > 1) readIndices(from, votes.choiceOf, votes.choices.length);
  votes.connections = readNumbers(from, votes) ?? votes.connections;
  const ids = readNumbers(from, votes);
  if (ids) votes.packetIds = idsOf(ids);
  votes.packetHashes = readHashes(from, votes);
  votes.numbers = readNumbers(from, votes) ?? votes.numbers;
  votes.times = readNumbers(from, votes) ?? votes.times;
  readFlags(from, votes);
  return votes;
}

/**
 * Writes numbers of votes, some of which may be `NONE`, as differences: from the number of the voter’s vote before, or for the
 * voter’s first one, from that of the voter before. So numbers that count up, and those of connections, take one or two bytes.
 */
function writeNumbers(to: ByteWriter, votes: VoteColumns, numbers: Float64Array | Int32Array): void {
  const { length, voters, voterOf } = votes;
  const last = new Float64Array(voters.length).fill(NONE);
  let missing = 0;
  let isPerVoter = true;
  if (numbers.length === 0) missing = length;
  else
    for (let i = 0; i < length; i++) {
      const voter = voterOf[i] as number;
      const value = numbers[i] as number;
      if (value === NONE) missing++;
      else if (last[voter] === NONE) last[voter] = value;
      else if (last[voter] !== value) isPerVoter = false;
    }
  if (missing === length) return to.byte(COLUMN.absent);
  let lead = 0;
  if (missing === 0 && isPerVoter) {
    to.byte(COLUMN.perVoter);
    for (let voter = 0; voter < last.length; voter++) {
      to.int((last[voter] as number) - lead);
      lead = last[voter] as number;
    }
    return;
  }
  to.byte(missing === 0 ? COLUMN.perVote : COLUMN.somePerVote);
  if (missing > 0) for (let i = 0; i < length; i++) to.byte(numbers[i] === NONE ? 0 : 1);
  last.fill(NONE);
  for (let i = 0; i < length; i++) {
    const value = numbers[i] as number;
    if (value === NONE) continue;
    const voter = voterOf[i] as number;
    const before = last[voter] as number;
    to.int(value - (before === NONE ? lead : before));
    if (before === NONE) lead = value;
    last[voter] = value;
  }
}

/** The inverse of `writeNumbers`; undefined if no vote has a number. */
function readNumbers(from: ByteReader, { length, voters, voterOf }: VoteColumns): Float64Array | undefined {
  const mode = from.byte();
  if (mode === COLUMN.absent) return undefined;
  const numbers = new Float64Array(length);
  const last = new Float64Array(voters.length);
  let lead = 0;
  if (mode === COLUMN.perVoter) {
    for (let voter = 0; voter < last.length; voter++) last[voter] = lead = natural(lead + from.int());
    for (let i = 0; i < length; i++) numbers[i] = last[voterOf[i] as number] as number;
    return numbers;
  }
  if (mode !== COLUMN.perVote && mode !== COLUMN.somePerVote) throw new MalformedBytes('a column has an unknown form');
  if (mode === COLUMN.somePerVote) for (let i = 0; i < length; i++) if (from.byte() === 0) numbers[i] = NONE;
  last.fill(NONE);
  for (let i = 0; i < length; i++) {
    if (numbers[i] === NONE) continue;
    const voter = voterOf[i] as number;
    const before = last[voter] as number;
    const value = natural((before === NONE ? lead : before) + from.int());
    if (before === NONE) lead = value;
    last[voter] = numbers[i] = value;
  }
  return numbers;
}

function writeHashes(to: ByteWriter, { length, choices, choiceOf, packetIds, packetHashes }: VoteColumns): void {
  if (packetIds.length === 0) return to.byte(HASHES.absent);
  const perChoice = new Float64Array(choices.length).fill(NONE);
  let isPerChoice = true;
  for (let i = 0; i < length && isPerChoice; i++) {
    if (packetIds[i] === NONE) continue;
    const [choice, hash] = [choiceOf[i] as number, packetHashes[i] as number];
    if (perChoice[choice] === NONE) perChoice[choice] = hash;
    isPerChoice = perChoice[choice] === hash;
  }
  to.byte(isPerChoice ? HASHES.perChoice : HASHES.perVote);
  if (isPerChoice) for (const hash of perChoice) to.uint32(Math.max(0, hash));
  else for (let i = 0; i < length; i++) if (packetIds[i] !== NONE) to.uint32(packetHashes[i] as number);
}

function readHashes(from: ByteReader, { length, choices, choiceOf, packetIds }: VoteColumns): Uint32Array {
  const mode = from.byte();
  if (mode === HASHES.absent && packetIds.length === 0) return new Uint32Array(0);
  const hashes = new Uint32Array(length);
  if (mode === HASHES.perChoice) {
    const perChoice = Uint32Array.from(choices, () => from.uint32());
    for (let i = 0; i < length; i++) hashes[i] = perChoice[choiceOf[i] as number] as number;
  } else if (mode === HASHES.perVote) {
    for (let i = 0; i < length; i++) if (packetIds[i] !== NONE) hashes[i] = from.uint32();
  } else throw new MalformedBytes('hashes have an unknown form');
  return hashes;
}

function writeFlags(to: ByteWriter, { length, flags }: VoteColumns): void {
  const first = flags[0] as number;
  let i = 1;
  while (i < length && flags[i] === first) i++;
  if (i === length) return to.byte(first);
  to.byte(MIXED_FLAGS);
  for (i = 0; i < length; i++) to.byte(flags[i] as number);
}

function readFlags(from: ByteReader, { length, flags }: VoteColumns): void {
  const first = from.byte();
  if (first > MIXED_FLAGS) throw new MalformedBytes('votes have unknown flags');
  if (first < MIXED_FLAGS) flags.fill(first);
  else for (let i = 0; i < length; i++) flags[i] = flagsFrom(from.byte());
}

function flagsFrom(byte: number): number {
  if (byte >= MIXED_FLAGS) throw new MalformedBytes('a vote has unknown flags');
  return byte;
}

/** Reads distinct names, at most one for each of `votes`. */
function readNames(from: ByteReader, names: string[], votes: number): void {
  const count = from.count();
  if (count === 0 || count > votes) throw new MalformedBytes('votes and names do not fit');
  for (let i = 0; i < count; i++) names.push(from.string());
}

/** Reads the index of each vote’s name. Names are in the order of their first use, and all are used. */
function readIndices(from: ByteReader, indices: Uint32Array, names: number): void {
  let used = 0;
  for (let i = 0; i < indices.length; i++) {
    const index = from.uint();
    if (index > used || index >= names) throw new MalformedBytes('a vote refers to an unknown name');
    if (index === used) used++;
    indices[i] = index;
  }
  if (used !== names) throw new MalformedBytes('a name is not used');
}

function idsOf(numbers: Float64Array): Int32Array {
  for (const id of numbers) if (id > MAX_ID) throw new MalformedBytes('a packet id is too large');
  return Int32Array.from(numbers);
}

function natural(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new MalformedBytes('a number is out of range');
  return value;
}
