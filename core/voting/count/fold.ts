import type { Reason } from '../rules/rejection.ts';
import { type Revote, votesAllowed } from '../rules/settings.ts';
import { addRejections, type RejectionCounts } from './accounting.ts';
import { type Ballot, WITHDRAWN } from './ballot.ts';
import { readCast } from './cast.ts';
import {
  type Entry,
  interruptionsBefore,
  type Marker,
  type RoundVotes,
  type UnreadableEntry,
  type VoteEntry,
} from './entry.ts';
import { isCopy, packetsAfter } from './packet.ts';
import { newSlice, roundKey, type Slice, type SliceChange } from './slice.ts';
import { type Choice, shift } from './tally.ts';
import type { Vote } from './vote.ts';

/** How many producers (broker runs) a partition remembers. The least recently active producer is dropped first. */
export const MAX_PRODUCERS = 1024;

/** The ballots of one round in one partition, by voter. */
export type Ballots = Map<string, Ballot>;

/**
 * The counting state of a partition, or the part of it that the entries to be folded touch. Only folding entries changes it.
 */
export interface FoldState {
  /**
   * Slices by `roundKey`. Must contain every existing slice that the entries touch. An unreadable entry touches all slices of
   * the partition that are open.
   */
  readonly slices: Map<string, Slice>;
  /** Ballots by `roundKey`. Must contain every existing ballot that the entries touch. */
  readonly ballots: Map<string, Ballots>;
  /** The latest sequence folded for each producer, the most recently active producer last. */
  readonly producers: Map<string, number>;
  /** Rejections that belong to no round. */
  readonly refused: RejectionCounts;
}

/** What a batch of entries changed, as absolute values. */
export interface FoldChanges {
  readonly slices: readonly SliceChange[];
  readonly ballots: readonly (readonly [poll: string, round: number, device: string, ballot: Ballot])[];
  /** Active producers with their latest sequence; null for producers that were dropped. */
  readonly producers: readonly (readonly [producer: string, sequence: number | null])[];
}

/** What can be folded: also an entry that cannot be read, of which only the place is known. */
export type FoldedEntry = Entry | UnreadableEntry;

/** The rounds and devices whose state a batch of entries may change; this state must be loaded before folding. */
export function touchedBy(entries: readonly FoldedEntry[]): { poll: string; round: number; devices: string[] }[] {
  const touched = new Map<string, { poll: string; round: number; devices: Set<string> }>();
  for (const entry of entries) {
    if (entry.type === 'unreadable') continue;
    for (const { poll, round, votes } of entry.type === 'votes' ? entry.rounds : [{ ...entry, votes: undefined }]) {
      const key = roundKey(poll, round);
      const found = touched.get(key) ?? { poll, round, devices: new Set<string>() };
      touched.set(key, found);
      for (const voter of votes?.voters ?? []) found.devices.add(voter);
    }
  }
  return [...touched.values()].map((found) => ({ ...found, devices: [...found.devices] }));
}

/** Called for each unreadable entry with the rounds in which votes count at its place, as `roundKey`. */
export type OnUnreadable = (entry: UnreadableEntry, rounds: readonly string[]) => void;

/**
 * Folds entries into `state` in log order and returns the changes. Deterministic: it uses no clock and no I/O, and the
 * resulting state does not depend on how the log is split into batches.
 */
export function fold(state: FoldState, entries: readonly FoldedEntry[], onUnreadable?: OnUnreadable): FoldChanges {
  const changes = new Changes();
  for (const entry of entries) {
    if (entry.type === 'votes') foldVotes(state, entry, changes);
    else if (entry.type === 'unreadable') {
      const rounds = foldUnreadable(state, changes);
      onUnreadable?.(entry, rounds);
    } else foldMarker(state, entry, changes);
  }
  return changes.of(state);
}

/** Collects the keys of everything that folding touches. The values are read only at the end, when they are final. */
class Changes {
  readonly weights = new Map<string, Set<Choice>>();
  readonly ballots = new Map<string, Set<string>>();
  readonly producers = new Set<string>();

  touch(key: string): { weights: Set<Choice>; ballots: Set<string> } {
    let weights = this.weights.get(key);
    let ballots = this.ballots.get(key);
    if (!weights || !ballots) {
      weights = new Set();
      ballots = new Set();
      this.weights.set(key, weights);
      this.ballots.set(key, ballots);
    }
    return { weights, ballots };
  }

  of(state: FoldState): FoldChanges {
    const slices: SliceChange[] = [];
    const ballots: (readonly [string, number, string, Ballot])[] = [];
    for (const [key, weights] of this.weights) {
      const slice = state.slices.get(key);
      if (!slice) continue;
      const { tally, accounting, ...rest } = slice;
      slices.push({
        ...rest,
        accounting: { ...accounting, rejected: { ...accounting.rejected } },
        weights: [...weights].map((choice) => [choice, tally.get(choice) ?? 0] as const),
      });
      const held = state.ballots.get(key);
      for (const device of this.ballots.get(key) ?? []) {
        const ballot = held?.get(device);
        if (ballot) ballots.push([slice.poll, slice.round, device, ballot]);
      }
    }
    const producers = [...this.producers].map((run) => [run, state.producers.get(run) ?? null] as const);
    return { slices, ballots, producers };
  }
}

/** Votes of any open round may have been in the entry, so all of them say that a part is missing. @returns these rounds */
function foldUnreadable(state: FoldState, changes: Changes): string[] {
  const rounds: string[] = [];
  for (const [key, slice] of state.slices) {
    if (!slice.open) continue;
    slice.missing = (slice.missing ?? 0) + 1;
    changes.touch(key);
    rounds.push(key);
  }
  return rounds;
}

function foldMarker(state: FoldState, marker: Marker, changes: Changes): void {
  const key = roundKey(marker.poll, marker.round);
  const slice = state.slices.get(key);
  const interruptions = interruptionsBefore(marker);
  const before = slice?.interruptions ?? 0;
  // A process that completes an opening or closing begun by another process may write the marker again, even after the round
  // was continued. Only the first marker counts, and only after the same number of interruptions.
  if (marker.type === 'open' && !slice && interruptions === 0) {
    state.slices.set(key, newSlice(marker.poll, marker.round, marker.definition.revote, marker.atMs));
    changes.touch(key);
  } else if (marker.type === 'open' && slice && interruptions > before) {
    slice.open = true;
    slice.interruptions = interruptions;
    slice.atMs = Math.max(slice.atMs, marker.atMs);
    changes.touch(key);
  } else if (marker.type === 'close' && slice?.open && interruptions === before) {
    slice.open = false;
    slice.atMs = Math.max(slice.atMs, marker.atMs);
    changes.touch(key);
  }
}

function foldVotes(state: FoldState, entry: VoteEntry, changes: Changes): void {
  if (entry.sequence <= (state.producers.get(entry.producer) ?? -1)) return;
  recordSequence(state.producers, entry, changes);
  addRejections(state.refused, entry.refused);
  for (const round of entry.rounds) foldRound(state, round, entry.atMs, changes);
}

/** Records the producer’s sequence. If there are too many producers, the least recently active producer is dropped. */
function recordSequence(producers: Map<string, number>, { producer, sequence }: VoteEntry, changes: Changes): void {
  producers.delete(producer);
  producers.set(producer, sequence);
  changes.producers.add(producer);
  if (producers.size > MAX_PRODUCERS) {
    const [oldest] = producers.keys() as Iterable<string> as [string];
    producers.delete(oldest);
    changes.producers.add(oldest);
  }
}

function foldRound(state: FoldState, { poll, round, votes, rejected }: RoundVotes, atMs: number, changes: Changes) {
  const key = roundKey(poll, round);
  const slice = state.slices.get(key);
  if (!slice) {
    addRejections(state.refused, rejected);
    addRejections(state.refused, { 'not-open': votes.length });
    return;
  }
  const { accounting } = slice;
  const touched = changes.touch(key);
  slice.atMs = Math.max(slice.atMs, atMs);
  accounting.received += votes.length + addRejections(accounting.rejected, rejected);
  if (!slice.open) {
    addRejections(accounting.rejected, { closed: votes.length });
    return;
  }
  let ballots = state.ballots.get(key);
  if (!ballots) state.ballots.set(key, (ballots = new Map()));
  for (const vote of votes) foldVote(slice, ballots, vote, atMs, touched);
}

function foldVote(
  slice: Slice,
  ballots: Ballots,
  vote: Vote,
  atMs: number,
  touched: { weights: Set<Choice>; ballots: Set<string> },
): void {
  const { accounting, tally } = slice;
  const before = ballots.get(vote.device);
  if (before && isRedelivery(vote, before)) {
    accounting.redelivered++;
    return;
  }
  const refusal = refusalOf(slice, vote, before);
  if (refusal) {
    addRejections(accounting.rejected, { [refusal]: 1 });
    return;
  }
  if (before && before.choice !== WITHDRAWN) {
    accounting.counted--;
    accounting.replaced++;
    shift(tally, before.choice, -1);
    touched.weights.add(before.choice);
  }
  if (vote.choice === WITHDRAWN) {
    // A withdrawal never counts as a ballot: it is accounted for as replaced, like the ballot it withdraws.
    accounting.replaced++;
  } else {
    accounting.counted++;
    shift(tally, vote.choice, 1);
    touched.weights.add(vote.choice);
  }
  touched.ballots.add(vote.device);
  // If the vote has no n, the ballot keeps its previous n, so that an older numbered vote still cannot replace it.
  const connection = Math.max(vote.connection ?? 0, before?.connection ?? 0) || undefined;
  const votes = isLimited(slice.revote) ? (before?.votes ?? 0) + 1 : undefined;
  const answeredAtMs = answerTime(vote, before, atMs);
  ballots.set(vote.device, {
    choice: vote.choice,
    n: vote.n ?? before?.n,
    connection,
    atMs: answeredAtMs,
    votes,
    packets: packetsAfter(vote, before),
  });
}

/**
 * When the voter gave the answer that the vote contains. Giving the same answer again does not make it slower, unless the time
 * of the vote is part of it, as in a pulse. A late vote counts only because of its press time, so that is its time.
 */
function answerTime(vote: Vote, before: Ballot | undefined, atMs: number): number {
  const { choice, late, second } = readCast(vote.choice);
  const isSame = before && before.choice !== WITHDRAWN && readCast(before.choice).choice === choice;
  if (isSame && second === undefined) return before.atMs;
  return late ? (vote.t ?? atMs) : atMs;
}

/** Why a vote is rejected, given the voter’s previous ballot; undefined if it is accepted. */
function refusalOf({ revote }: Slice, vote: Vote, before: Ballot | undefined): Reason | undefined {
  if (before && revote === 'first') return 'already-voted';
  if (vote.choice === WITHDRAWN) return before && before.choice !== WITHDRAWN ? undefined : 'nothing-to-withdraw';
  if (before && isLimited(revote) && (before.votes ?? 0) >= (votesAllowed(revote) ?? 1)) return 'too-many-votes';
  return undefined;
}

/** True for `max n`, the only rule for which the number of each voter’s votes is tracked. */
function isLimited(revote: Revote): boolean {
  return revote !== 'last' && revote !== 'first';
}

/**
 * If both the vote and the ballot have sequence numbers, the vote is a redelivery unless its number is higher. Otherwise, a
 * vote from an earlier connection than the ballot’s is a redelivery: it was delayed at another broker, and the device has since
 * sent it again or voted differently. A packet that was already counted is a redelivery as well, even if a newer vote has
 * replaced it since. So is a vote with MQTT’s DUP flag and the same choice as the ballot, because the first copy was counted.
 */
function isRedelivery(vote: Vote, ballot: Ballot): boolean {
  if (vote.n !== undefined && ballot.n !== undefined) return vote.n <= ballot.n;
  if ((vote.connection ?? 0) < (ballot.connection ?? 0)) return true;
  if (isCopy(vote, ballot)) return true;
  // Only the choices are compared: the redelivered copy may be marked as late or carry a later second.
  return vote.dup === true && readCast(vote.choice).choice === readCast(ballot.choice).choice;
}
