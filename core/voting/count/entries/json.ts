import type { Entry, FoundEntry, Marker, RoundVotes, VoteEntry } from '../entry.ts';
import type { Vote } from '../vote.ts';
import { FLAG, VoteColumns } from './columns.ts';
import { shapeProblem } from './shape.ts';

/** The format of entries that are JSON. Absent from an entry: 1. */
const JSON_FORMAT = 1;
/** The highest form of votes in JSON. Forms are older than formats, and were raised in the same way. */
const MAX_WIRE = 3;

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

/** A logged vote with its packet and the sum of its `FLAG`s; used if the entry’s `wire` is 3. Unset fields at the end are left out. */
type WrappedWireVote = [
  device: string,
  choice: string,
  connection: number | null,
  packet?: number | null,
  flags?: number,
  n?: number | null,
  t?: number,
];

/** An entry in format 1. */
export function jsonOf(entry: Entry): string {
  return `{"v":${JSON_FORMAT},${entryText(entry).slice(1)}`;
}

/**
 * An entry as JSON, always the same bytes for the same entry, in whatever format it was stored. Audit
 * bundles contain it, so that a bundle exported again after an update still has the hash that was published.
 */
export function entryText(entry: Entry): string {
  if (entry.type !== 'votes') return JSON.stringify(entry);
  const { wire, encode } = wireFor(entry);
  return JSON.stringify({
    ...entry,
    ...(wire === 1 ? {} : { wire }),
    rounds: entry.rounds.map((round) => ({ ...round, votes: Array.from(round.votes, encode) })),
  });
}

/** The shortest form that can hold all votes of the entry. Form 1 is the only one without a number in the entry. */
function wireFor({ rounds }: VoteEntry): { wire: 1 | 2 | 3; encode: (vote: Vote) => unknown } {
  if (rounds.some(({ votes }) => votes.packetIds.length > 0)) return { wire: 3, encode: toWrappedWire };
  const isNumbered = rounds.some(({ votes }) => votes.connections.length > 0);
  return isNumbered ? { wire: 2, encode: toNumberedWire } : { wire: 1, encode: toWire };
}

/** Reads an entry in format 1, or the text of one. Never throws. */
export function readJson(text: string): FoundEntry {
  let entry: unknown;
  try {
    entry = JSON.parse(text);
  } catch {
    return { type: 'unreadable', why: 'not JSON', content: text };
  }
  const format = formatOf(entry);
  if (format === undefined) return { type: 'unreadable', why: 'without a valid format', content: text };
  if (format > JSON_FORMAT) return { type: 'newer', format };
  const why = shapeProblem(entry);
  if (why !== undefined) return { type: 'unreadable', why, content: text };
  const { v: _, wire, ...rest } = entry as Stored;
  if (rest.type !== 'votes') return rest;
  const decode = wire === 3 ? fromWrappedWire : wire === 2 ? fromNumberedWire : fromWire;
  const rounds = rest.rounds.map((round) => ({ ...round, votes: VoteColumns.of(round.votes.map(decode)) }));
  return { ...rest, rounds };
}

/** Votes of a round in the form that the entry’s `wire` says. */
type StoredRound = Omit<RoundVotes, 'votes'> & { readonly votes: readonly never[] };
type StoredVotes = Omit<VoteEntry, 'rounds'> & { readonly rounds: readonly StoredRound[] };
type Stored = (StoredVotes | Marker) & { readonly v?: number; readonly wire?: number };

/** The format of an entry in decoded JSON; undefined if it is no entry. Votes in an unknown form belong to a newer format. */
function formatOf(entry: unknown): number | undefined {
  const { v = 1, wire = 1 } = (entry ?? {}) as { readonly v?: unknown; readonly wire?: unknown };
  if (!isCount(v) || !isCount(wire)) return undefined;
  return wire > MAX_WIRE ? Math.max(v, JSON_FORMAT + 1) : v;
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
