import { addRejections, type RejectionCounts } from './accounting.ts';
import { readCast } from './cast.ts';
import type { Entry, Marker, RoundVotes, VoteEntry } from './entry.ts';
import type { Reason } from './rejection.ts';
import { type Revote, votesAllowed } from './rules.ts';
import { newSlice, roundKey, type Slice, type SliceChange } from './slice.ts';
import { type Choice, shift } from './tally.ts';
import type { Ballot, Vote } from './vote.ts';

/** How many producers (broker runs) a partition remembers; the one silent for longest is forgotten first. */
export const MAX_PRODUCERS = 1024;

/** The choice that takes a ballot back. */
export const WITHDRAWN: Choice = '';

/** The ballots of one round in one partition, by voter. */
export type Ballots = Map<string, Ballot>;

/** All that a partition's count rests on. Folding an entry advances it; nothing else does. */
export interface FoldState {
  /** Slices by `roundKey`. Holds at least every round the entries touch and that exists. */
  readonly slices: Map<string, Slice>;
  /** Ballots by `roundKey`. Holds at least those the entries touch and that exist. */
  readonly ballots: Map<string, Ballots>;
  /** The newest sequence folded of each producer, the one heard last at the end. */
  readonly producers: Map<string, number>;
  /** Rejections that no round accounts for. */
  readonly refused: RejectionCounts;
}

/** What a batch of entries changed, in absolute values. */
export interface FoldChanges {
  readonly slices: readonly SliceChange[];
  readonly ballots: readonly (readonly [poll: string, round: number, device: string, ballot: Ballot])[];
  /** Producers heard, with their newest sequence; null: forgotten. */
  readonly producers: readonly (readonly [producer: string, sequence: number | null])[];
}

/** The rounds that a batch of entries may change, with the devices that vote there: what to read before folding. */
export function touchedBy(entries: readonly Entry[]): { poll: string; round: number; devices: string[] }[] {
  const touched = new Map<string, { poll: string; round: number; devices: Set<string> }>();
  for (const entry of entries) {
    for (const { poll, round, votes } of entry.type === 'votes' ? entry.rounds : [{ ...entry, votes: [] }]) {
      const key = roundKey(poll, round);
      const found = touched.get(key) ?? { poll, round, devices: new Set<string>() };
      touched.set(key, found);
      for (const vote of votes) found.devices.add(vote.device);
    }
  }
  return [...touched.values()].map((found) => ({ ...found, devices: [...found.devices] }));
}

/**
 * Folds entries, in log order, into `state` and says what changed. Deterministic: no clock, no I/O, and
 * cutting the same log into other batches leads to the same state.
 */
export function fold(state: FoldState, entries: readonly Entry[]): FoldChanges {
  const changes = new Changes();
  for (const entry of entries) {
    if (entry.type === 'votes') foldVotes(state, entry, changes);
    else foldMarker(state, entry, changes);
  }
  return changes.of(state);
}

/** Collects what was touched while folding; read out once at the end, so that values are the newest. */
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

function foldMarker(state: FoldState, marker: Marker, changes: Changes): void {
  const key = roundKey(marker.poll, marker.round);
  const slice = state.slices.get(key);
  // Whoever finishes an opening or closing that another began may write a marker again: only the first one acts.
  if (marker.type === 'open' && !slice) {
    state.slices.set(key, newSlice(marker.poll, marker.round, marker.definition.revote, marker.atMs));
    changes.touch(key);
  } else if (marker.type === 'close' && slice?.open) {
    slice.open = false;
    slice.atMs = marker.atMs;
    changes.touch(key);
  }
}

function foldVotes(state: FoldState, entry: VoteEntry, changes: Changes): void {
  if (entry.sequence <= (state.producers.get(entry.producer) ?? -1)) return;
  hear(state.producers, entry, changes);
  addRejections(state.refused, entry.refused);
  for (const round of entry.rounds) foldRound(state, round, entry.atMs, changes);
}

/** Remembers the producer's sequence; at the bound the one silent for longest is forgotten. */
function hear(producers: Map<string, number>, { producer, sequence }: VoteEntry, changes: Changes): void {
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
  slice.atMs = atMs;
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
    // Nothing counts for it, and nothing of it will: with what it took back, it is accounted for as replaced.
    accounting.replaced++;
  } else {
    accounting.counted++;
    shift(tally, vote.choice, 1);
    touched.weights.add(vote.choice);
  }
  touched.ballots.add(vote.device);
  // A vote without n keeps the highest n seen, so that an older numbered one stays harmless after it.
  const connection = Math.max(vote.connection ?? 0, before?.connection ?? 0) || undefined;
  const votes = isLimited(slice.revote) ? (before?.votes ?? 0) + 1 : undefined;
  ballots.set(vote.device, { choice: vote.choice, n: vote.n ?? before?.n, connection, atMs, votes });
}

/** Why a vote does not count beside the one before it, or may not be taken back. */
function refusalOf({ revote }: Slice, vote: Vote, before: Ballot | undefined): Reason | undefined {
  if (before && revote === 'first') return 'already-voted';
  if (vote.choice === WITHDRAWN) return before && before.choice !== WITHDRAWN ? undefined : 'nothing-to-withdraw';
  if (before && isLimited(revote) && (before.votes ?? 0) >= (votesAllowed(revote) ?? 1)) return 'too-many-votes';
  return undefined;
}

/** Only then are a voter's votes counted. */
function isLimited(revote: Revote): boolean {
  return revote !== 'last' && revote !== 'first';
}

/**
 * With sequence numbers on both sides, whatever is not newer than the ballot is a redelivery. Without, so is what came by
 * an earlier connection than the ballot: it was held up at another broker, and its device has sent it again or thought
 * better of it. Within a connection, MQTT's DUP flag says that the device sends a packet again, and the ballot tells
 * whether it had been counted.
 */
function isRedelivery(vote: Vote, ballot: Ballot): boolean {
  if (vote.n !== undefined && ballot.n !== undefined) return vote.n <= ballot.n;
  if ((vote.connection ?? 0) < (ballot.connection ?? 0)) return true;
  // With what it was cast may have changed meanwhile: late, or a second on.
  return vote.dup === true && readCast(vote.choice).choice === readCast(ballot.choice).choice;
}
