import type { RoundRecord } from '../rules/record.ts';
import type { Common } from '../rules/settings.ts';
import type { RejectionCounts } from './accounting.ts';
import type { Vote } from './vote.ts';

/** The votes of one round in an entry, in order of arrival, and the number of payloads that the broker rejected. */
export interface RoundVotes {
  readonly poll: string;
  readonly round: number;
  readonly votes: readonly Vote[];
  readonly rejected: RejectionCounts;
}

/** The votes that a broker has accepted for one partition since its last append. */
export interface VoteEntry {
  readonly type: 'votes';
  /** The broker’s run id, new at each start. Together with `sequence`, it distinguishes a re-sent entry from a new one. */
  readonly producer: string;
  /** Increases by one with each entry that this producer appends to this partition. */
  readonly sequence: number;
  readonly atMs: number;
  readonly rounds: readonly RoundVotes[];
  /** Rejected payloads that could not be matched to a poll, so no round can account for them. */
  readonly refused: RejectionCounts;
}

/**
 * Opens a round in one partition, or continues it after an interruption. It carries the definition, so that the round can be
 * recounted from the log alone.
 */
export interface OpenMarker {
  readonly type: 'open';
  readonly poll: string;
  readonly round: number;
  readonly atMs: number;
  readonly definition: Common;
  /** Everything else that the result depends on. Absent in logs of earlier versions. */
  readonly record?: RoundRecord | undefined;
}

/** Closes a round in one partition: later votes do not count. */
export interface CloseMarker {
  readonly type: 'close';
  readonly poll: string;
  readonly round: number;
  readonly atMs: number;
  readonly record?: RoundRecord | undefined;
}

export type Marker = OpenMarker | CloseMarker;

/** How many interruptions of its round a marker comes after. This tells the markers of a continued round apart. */
export function interruptionsBefore({ record }: Marker): number {
  return record?.interruptions?.length ?? 0;
}
export type Entry = VoteEntry | Marker;

/** A vote as logged: device and choice, then n, t and the DUP flag if present. */
type WireVote = [device: string, choice: string, n?: number | null, t?: number | null, dup?: 1];
/** A logged vote with a connection number; used if the entry’s `wire` is 2. */
type NumberedWireVote = [
  device: string,
  choice: string,
  connection: number | null,
  n?: number | null,
  t?: number | null,
  dup?: 1,
];

/** What `WrappedWireVote` says of a packet; the sum of what applies. */
const FLAG = { dup: 1, mayRepeat: 2 } as const;
/** A logged vote with its packet; used if the entry’s `wire` is 3. Unset fields at the end are left out. */
type WrappedWireVote = [
  device: string,
  choice: string,
  connection: number | null,
  packet?: number | null,
  flags?: number,
  n?: number | null,
  t?: number,
];

/** Encodes an entry as JSON: fast in V8, readable in the log, and always the same bytes for the same entry. */
export function encodeEntry(entry: Entry): string {
  if (entry.type !== 'votes') return JSON.stringify(entry);
  const { wire, encode } = wireFor(entry);
  return JSON.stringify({
    ...entry,
    ...(wire === 1 ? {} : { wire }),
    rounds: entry.rounds.map((round) => ({ ...round, votes: round.votes.map((vote) => encode(vote)) })),
  });
}

/** The shortest form that can hold all votes of the entry. Form 1 is the only one without a number in the entry. */
function wireFor({ rounds }: VoteEntry): { wire: 1 | 2 | 3; encode: (vote: Vote) => unknown } {
  if (rounds.some(({ votes }) => votes.some(({ packet }) => packet !== undefined))) {
    return { wire: 3, encode: toWrappedWire };
  }
  const isNumbered = rounds.some(({ votes }) => votes.some(({ connection }) => connection !== undefined));
  return isNumbered ? { wire: 2, encode: toNumberedWire } : { wire: 1, encode: toWire };
}

/** The inverse of `encodeEntry`. @throws SyntaxError if the text is not an entry (a corrupt log). */
export function decodeEntry(text: string): Entry {
  const entry = JSON.parse(text);
  if (entry.type === 'open' || entry.type === 'close') return entry;
  if (entry.type !== 'votes') throw new SyntaxError(`not a log entry: ${text.slice(0, 80)}`);
  const { wire, ...rest } = entry;
  const decode = wire === 3 ? fromWrappedWire : wire === 2 ? fromNumberedWire : fromWire;
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

function toWrappedWire(vote: Vote): WrappedWireVote {
  const { device, choice, connection = null, packet = null, n = null, t, dup, mayRepeat } = vote;
  const flags = (dup ? FLAG.dup : 0) + (mayRepeat ? FLAG.mayRepeat : 0);
  if (t !== undefined) return [device, choice, connection, packet, flags, n, t];
  if (n !== null) return [device, choice, connection, packet, flags, n];
  return flags === 0 ? [device, choice, connection, packet] : [device, choice, connection, packet, flags];
}

function fromWrappedWire(wire: WrappedWireVote): Vote {
  // Read by index, because this runs for every vote, and destructuring an array goes through its iterator.
  const flags = wire[4] ?? 0;
  return {
    device: wire[0],
    choice: wire[1],
    n: wire[5] ?? undefined,
    t: wire[6],
    dup: (flags & FLAG.dup) !== 0,
    connection: wire[2] ?? undefined,
    packet: wire[3] ?? undefined,
    mayRepeat: (flags & FLAG.mayRepeat) !== 0,
  };
}
