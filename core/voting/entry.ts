import type { RejectionCounts } from './accounting.ts';
import type { Definition, RoundRecord } from './poll.ts';
import type { Vote } from './vote.ts';

/** The votes of one round in an entry, in the order they came, and what the broker refused at the edge. */
export interface RoundVotes {
  readonly poll: string;
  readonly round: number;
  readonly votes: readonly Vote[];
  readonly rejected: RejectionCounts;
}

/** What a broker accepted since its last append, for one partition. */
export interface VoteEntry {
  readonly type: 'votes';
  /** The broker's run id: new at each start. With `sequence` it tells a resent entry from a new one. */
  readonly producer: string;
  /** Rises by one with each entry of this producer to this partition. */
  readonly sequence: number;
  readonly atMs: number;
  readonly rounds: readonly RoundVotes[];
  /** Payloads that named no poll: no round can account for them. */
  readonly refused: RejectionCounts;
}

/** Opens a round in one partition; carries the definition, so that the log alone can be counted again. */
export interface OpenMarker {
  readonly type: 'open';
  readonly poll: string;
  readonly round: number;
  readonly atMs: number;
  readonly definition: Definition;
  /** What else the result goes by. Absent in logs of earlier versions. */
  readonly record?: RoundRecord | undefined;
}

/** Closes a round in one partition: what comes after does not count. */
export interface CloseMarker {
  readonly type: 'close';
  readonly poll: string;
  readonly round: number;
  readonly atMs: number;
  readonly record?: RoundRecord | undefined;
}

export type Marker = OpenMarker | CloseMarker;
export type Entry = VoteEntry | Marker;

/** A vote on the log: device, choice and, only where there are any, n, t, the DUP flag. */
type WireVote = [device: string, choice: string, n?: number | null, t?: number | null, dup?: 1];
/** The same where connections are numbered: `wire` of the entry is 2. */
type NumberedWireVote = [
  device: string,
  choice: string,
  connection: number | null,
  n?: number | null,
  t?: number | null,
  dup?: 1,
];

/** The entry as JSON text: fast in V8, readable in the log, the same bytes for the same entry. */
export function encodeEntry(entry: Entry): string {
  if (entry.type !== 'votes') return JSON.stringify(entry);
  const isNumbered = entry.rounds.some(({ votes }) => votes.some(({ connection }) => connection !== undefined));
  const encode: (vote: Vote) => WireVote | NumberedWireVote = isNumbered ? toNumberedWire : toWire;
  return JSON.stringify({
    ...entry,
    ...(isNumbered ? { wire: 2 } : {}),
    rounds: entry.rounds.map((round) => ({ ...round, votes: round.votes.map((vote) => encode(vote)) })),
  });
}

/** The inverse of `encodeEntry`. @throws SyntaxError when the text is not an entry (a corrupt log). */
export function decodeEntry(text: string): Entry {
  const entry = JSON.parse(text);
  if (entry.type === 'open' || entry.type === 'close') return entry;
  if (entry.type !== 'votes') throw new SyntaxError(`not a log entry: ${text.slice(0, 80)}`);
  const { wire, ...rest } = entry;
  const decode = wire === 2 ? fromNumberedWire : fromWire;
  for (const round of rest.rounds) round.votes = round.votes.map(decode);
  return rest;
}

function toWire({ device, choice, n, t, dup }: Vote): WireVote {
  if (dup) return [device, choice, n ?? null, t ?? null, 1];
  if (t !== undefined) return [device, choice, n ?? null, t];
  if (n !== undefined) return [device, choice, n];
  return [device, choice];
}

function fromWire([device, choice, n, t, dup]: WireVote): Vote {
  return { device, choice, n: n ?? undefined, t: t ?? undefined, dup: dup === 1 };
}

function toNumberedWire(vote: Vote): NumberedWireVote {
  const [device, choice, ...rest] = toWire(vote);
  return [device, choice, vote.connection ?? null, ...rest] as NumberedWireVote;
}

function fromNumberedWire([device, choice, connection, ...rest]: NumberedWireVote): Vote {
  return { ...fromWire([device, choice, ...rest]), connection: connection ?? undefined };
}
