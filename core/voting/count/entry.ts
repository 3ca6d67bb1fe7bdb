import type { RoundRecord } from '../rules/record.ts';
import type { Common } from '../rules/settings.ts';
import type { RejectionCounts } from './accounting.ts';
import { shapeProblem } from './entry-shape.ts';
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

/** The format in which entries are written. A change that older versions would misread raises it. Absent from an entry: 1. */
export const ENTRY_FORMAT = 1;
/** The highest form of votes that this version knows. Forms are older than formats, and were raised in the same way. */
const MAX_WIRE = 3;

/** An entry that cannot be read, because it is damaged. What it contained is not known, not even its round. */
export interface UnreadableEntry {
  readonly type: 'unreadable';
  /** What is wrong with it, without its content. */
  readonly why: string;
  readonly text: string;
}

/** An entry in a newer format. It is not damaged, so it must wait for a process that can read it. */
export interface NewerEntry {
  readonly type: 'newer';
  readonly format: number;
}

/** What is found at a place of the log. */
export type FoundEntry = Entry | UnreadableEntry | NewerEntry;

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

/** An entry as the log stores it, with its format. */
export function encodeEntry(entry: Entry): string {
  return `{"v":${ENTRY_FORMAT},${entryText(entry).slice(1)}`;
}

/**
 * An entry as JSON: fast in V8, readable in the log, and always the same bytes for the same entry. Audit bundles contain it
 * without the format, so that a bundle exported again after an update still has the hash that was published.
 */
export function entryText(entry: Entry): string {
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

/** The inverse of `encodeEntry` and `entryText`. @throws SyntaxError if the text is not an entry that this version can read */
export function decodeEntry(text: string): Entry {
  const entry = readEntry(text);
  if (entry.type === 'newer') throw new SyntaxError(`the entry has format ${entry.format}, which is newer`);
  if (entry.type === 'unreadable') throw new SyntaxError(`not a log entry: ${entry.why}`);
  return entry;
}

/** Reads what the log stores. Never throws: an entry that cannot be decoded must not stop those after it. */
export function readEntry(text: string): FoundEntry {
  let entry: unknown;
  try {
    entry = JSON.parse(text);
  } catch {
    return { type: 'unreadable', why: 'not JSON', text };
  }
  const format = formatOf(entry);
  if (format === undefined) return { type: 'unreadable', why: 'without a valid format', text };
  if (format > ENTRY_FORMAT) return { type: 'newer', format };
  const why = shapeProblem(entry);
  if (why !== undefined) return { type: 'unreadable', why, text };
  const { v: _, wire, ...rest } = entry as Stored;
  if (rest.type !== 'votes') return rest;
  const decode = wire === 3 ? fromWrappedWire : wire === 2 ? fromNumberedWire : fromWire;
  for (const round of rest.rounds) Object.assign(round, { votes: (round.votes as never[]).map(decode) });
  return rest;
}

type Stored = Entry & { readonly v?: number; readonly wire?: number };

/** The format of an entry in decoded JSON; undefined if it is no entry. Votes in an unknown form belong to a newer format. */
function formatOf(entry: unknown): number | undefined {
  const { v = 1, wire = 1 } = (entry ?? {}) as { readonly v?: unknown; readonly wire?: unknown };
  if (!isCount(v) || !isCount(wire)) return undefined;
  return wire > MAX_WIRE ? Math.max(v, ENTRY_FORMAT + 1) : v;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
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
