import { addRejections, type RejectionCounts } from './accounting.ts';
import { BallotTable } from './ballots/table.ts';
import {
  type Entry,
  interruptionsBefore,
  type Marker,
  type RoundVotes,
  type UnreadableEntry,
  type VoteEntry,
} from './entry.ts';
import { newSlice, roundKey, type Slice, type SliceChange } from './slice.ts';
import { type Choice, shift } from './tally.ts';

/** How many producers (broker runs) a partition remembers. The least recently active producer is dropped first. */
export const MAX_PRODUCERS = 1024;

/**
 * The counting state of a partition, or the part of it that the entries to be folded touch. Only folding entries changes it.
 */
export interface FoldState {
  /**
   * Slices by `roundKey`. Must contain every existing slice that the entries touch. An unreadable entry touches all slices of
   * the partition that are open.
   */
  readonly slices: Map<string, Slice>;
  /** Ballots by `roundKey`. Must contain those of every round that is open, or continued, and that the entries touch. */
  readonly ballots: Map<string, BallotTable>;
  /** The latest sequence folded for each producer, the most recently active producer last. */
  readonly producers: Map<string, number>;
  /** Rejections that belong to no round. */
  readonly refused: RejectionCounts;
}

/** What a batch of entries changed, as absolute values. Each table of ballots knows itself what has changed in it. */
export interface FoldChanges {
  readonly slices: readonly SliceChange[];
  /** Active producers with their latest sequence; null for producers that were dropped. */
  readonly producers: readonly (readonly [producer: string, sequence: number | null])[];
}

/** What can be folded: also an entry that cannot be read, of which only the place is known. */
export type FoldedEntry = Entry | UnreadableEntry;

/** How many votes an entry contains. */
export function votesIn(entry: FoldedEntry): number {
  return entry.type === 'votes' ? entry.rounds.reduce((sum, { votes }) => sum + votes.length, 0) : 0;
}

/** The rounds whose state a batch of entries may change; it must be loaded before folding. By `roundKey`. */
export function touchedBy(entries: readonly FoldedEntry[]): Map<string, { poll: string; round: number }> {
  const touched = new Map<string, { poll: string; round: number }>();
  for (const entry of entries) {
    if (entry.type === 'unreadable') continue;
    for (const { poll, round } of entry.type === 'votes' ? entry.rounds : [entry]) {
      const key = roundKey(poll, round);
      if (!touched.has(key)) touched.set(key, { poll, round });
    }
  }
  return touched;
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
  readonly producers = new Set<string>();

  /** @returns the choices whose number of ballots has changed, to be added to */
  touch(key: string): Set<Choice> {
    let weights = this.weights.get(key);
    if (!weights) this.weights.set(key, (weights = new Set()));
    return weights;
  }

  of(state: FoldState): FoldChanges {
    const slices: SliceChange[] = [];
    for (const [key, weights] of this.weights) {
      const slice = state.slices.get(key);
      if (!slice) continue;
      const { tally, accounting, ...rest } = slice;
      slices.push({
        ...rest,
        accounting: { ...accounting, rejected: { ...accounting.rejected } },
        weights: [...weights].map((choice) => [choice, tally.get(choice) ?? 0] as const),
      });
    }
    const producers = [...this.producers].map((run) => [run, state.producers.get(run) ?? null] as const);
    return { slices, producers };
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
  if (!takeSequence(state.producers, entry, changes.producers)) return;
  addRejections(state.refused, entry.refused);
  for (const round of entry.rounds) foldRound(state, round, entry.atMs, changes);
}

/**
 * Records the sequence of an entry, unless the entry was appended twice and this is the second copy: then it returns false. If
 * there are too many producers, the least recently active one is dropped.
 *
 * @param changed the producers that are recorded or dropped are added to it
 */
export function takeSequence(producers: Map<string, number>, entry: VoteEntry, changed?: Set<string>): boolean {
  const { producer, sequence } = entry;
  if (entry.sequence <= (producers.get(entry.producer) ?? -1)) return false;
  producers.delete(producer);
  producers.set(producer, sequence);
  // Stores keep the order of the changes, so the producer heard last must be the last of them.
  changed?.delete(producer);
  changed?.add(producer);
  if (producers.size > MAX_PRODUCERS) {
    const [oldest] = producers.keys() as Iterable<string> as [string];
    producers.delete(oldest);
    changed?.add(oldest);
  }
  return true;
}

function foldRound(state: FoldState, { poll, round, votes, rejected }: RoundVotes, atMs: number, changes: Changes) {
  const key = roundKey(poll, round);
  const slice = state.slices.get(key);
  if (!slice) {
    addRejections(state.refused, rejected);
    addRejections(state.refused, { 'not-open': votes.length });
    return;
  }
  const { accounting, tally } = slice;
  const weights = changes.touch(key);
  slice.atMs = Math.max(slice.atMs, atMs);
  accounting.received += votes.length + addRejections(accounting.rejected, rejected);
  if (!slice.open) {
    addRejections(accounting.rejected, { closed: votes.length });
    return;
  }
  let table = state.ballots.get(key);
  if (!table) state.ballots.set(key, (table = new BallotTable(slice.revote)));
  table.take(votes, atMs);
  const outcome = table.outcome();
  accounting.counted += outcome.counted;
  accounting.replaced += outcome.replaced;
  accounting.redelivered += outcome.redelivered;
  addRejections(accounting.rejected, {
    'already-voted': outcome.alreadyVoted,
    'nothing-to-withdraw': outcome.nothingToWithdraw,
    'too-many-votes': outcome.tooManyVotes,
  });
  for (const [choice, by] of table.moved()) {
    if (by === 0) continue;
    // Without what is missing, a ballot may be older than the tally, and its choice have been taken back already.
    shift(tally, choice, slice.missing ? Math.max(by, -(tally.get(choice) ?? 0)) : by);
    weights.add(choice);
  }
}
