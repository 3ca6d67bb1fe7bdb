/**
 * What is wrong with the shape of a decoded log entry, without quoting it, because it may contain votes; undefined if nothing is.
 * What passes can be folded: the fold relies on these types.
 */
export function shapeProblem(entry: unknown): string | undefined {
  if (!isObject(entry)) return 'not an object';
  const { type } = entry;
  if (type === 'votes') return votesProblem(entry);
  if (type !== 'open' && type !== 'close') return 'of an unknown type';
  if (!isOfRound(entry) || !Number.isFinite(entry.atMs)) return 'a marker without its round or time';
  if (type === 'open' && !isObject(entry.definition)) return 'an open marker without a definition';
  const { record } = entry;
  const isRecord =
    record === undefined ||
    (isObject(record) && (record.interruptions === undefined || Array.isArray(record.interruptions)));
  return isRecord ? undefined : 'a marker with a malformed record';
}

type Fields = Readonly<Record<string, unknown>>;

function votesProblem({ producer, sequence, atMs, rounds, refused, wire }: Fields): string | undefined {
  if (typeof producer !== 'string' || !Number.isSafeInteger(sequence)) return 'votes without producer and sequence';
  if (!Number.isFinite(atMs)) return 'votes without a time';
  if (!Array.isArray(rounds) || !areCounts(refused)) return 'votes without their rounds or refusals';
  for (const round of rounds) {
    if (!isObject(round) || !isOfRound(round)) return 'votes of a round without its poll or number';
    if (!Array.isArray(round.votes) || !areCounts(round.rejected)) return 'a round without its votes or rejections';
    if (!round.votes.every((vote) => isWireVote(vote, wire))) return 'a malformed vote';
  }
  return undefined;
}

/** How many numbers after the choice identify a packet and its connection, by the form of votes; see json.ts. */
const IDS: Readonly<Record<number, number>> = { 2: 1, 3: 3 };

function isWireVote(vote: unknown, wire: unknown): boolean {
  if (!Array.isArray(vote) || typeof vote[0] !== 'string' || typeof vote[1] !== 'string') return false;
  const ids = IDS[Number(wire)] ?? 0;
  for (let i = 2; i < vote.length; i++) {
    if (vote[i] === null) continue;
    if (typeof vote[i] !== 'number') return false;
    // A fraction is a damaged digit or comma, and pages of ballots cannot hold one.
    if (i < 2 + ids && !(Number.isSafeInteger(vote[i]) && vote[i] >= 0)) return false;
  }
  return true;
}

function areCounts(value: unknown): boolean {
  return (
    isObject(value) && Object.values(value).every((count) => Number.isSafeInteger(count) && (count as number) >= 0)
  );
}

function isOfRound({ poll, round }: Fields): boolean {
  return typeof poll === 'string' && Number.isSafeInteger(round);
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
