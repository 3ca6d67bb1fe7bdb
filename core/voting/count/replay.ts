import type { Ballot } from './ballot.ts';
import type { Entry } from './entry.ts';
import { type FoldedEntry, type FoldState, fold } from './fold.ts';
import { roundKey, type Slice } from './slice.ts';

/** Recounts one round from the complete log of a partition, keeping only that round in memory. */
export class Replay {
  private readonly state: FoldState = { slices: new Map(), ballots: new Map(), producers: new Map(), refused: {} };
  private readonly poll: string;
  private readonly round: number;

  constructor(poll: string, round: number) {
    this.poll = poll;
    this.round = round;
  }

  /** Folds the next entries of the log. Entries of other rounds only advance the producers’ sequences. */
  add(entries: readonly FoldedEntry[]): void {
    fold(
      this.state,
      entries
        .map((entry) => (entry.type === 'unreadable' ? entry : entryOfRound(entry, this.poll, this.round)))
        .filter((entry) => entry !== undefined),
    );
  }

  /** The slice counted so far; undefined if the log contains no open marker for the round. */
  get slice(): Slice | undefined {
    return this.state.slices.get(roundKey(this.poll, this.round));
  }

  /** Every ballot counted so far, withdrawn ones included, in the order of arrival. */
  ballots(): Iterable<readonly [voter: string, ballot: Ballot]> {
    return this.state.ballots.get(roundKey(this.poll, this.round)) ?? [];
  }
}

/**
 * The part of an entry that belongs to one round; undefined for the marker of another round. A vote entry always keeps its
 * sequence.
 */
export function entryOfRound(entry: Entry, poll: string, round: number): Entry | undefined {
  const isOurs = (part: { poll: string; round: number }) => part.poll === poll && part.round === round;
  if (entry.type !== 'votes') return isOurs(entry) ? entry : undefined;
  return { ...entry, rounds: entry.rounds.filter(isOurs), refused: {} };
}

/** The differences between two counts of the same slice, as messages; empty if they agree. */
export function differences(live: Slice | undefined, recounted: Slice | undefined): string[] {
  if (!live && !recounted) return [];
  if (!live) return ['the live count is missing a round that is in the log'];
  if (!recounted) return ['the live count has a round whose opening is not in the log'];
  const found: string[] = [];
  const state = (slice: Slice) => `${slice.open ? 'open' : 'closed'} after ${slice.interruptions ?? 0} interruptions`;
  if (state(live) !== state(recounted)) found.push(`live ${state(live)}, recounted ${state(recounted)}`);
  if ((live.missing ?? 0) !== (recounted.missing ?? 0)) {
    found.push(`unreadable log entries: live ${live.missing ?? 0}, recounted ${recounted.missing ?? 0}`);
  }
  for (const choice of new Set([...live.tally.keys(), ...recounted.tally.keys()])) {
    const [actual, expected] = [live.tally.get(choice) ?? 0, recounted.tally.get(choice) ?? 0];
    if (actual !== expected) found.push(`choice ${JSON.stringify(choice)}: live ${actual}, recounted ${expected}`);
  }
  for (const part of ['received', 'counted', 'replaced', 'redelivered'] as const) {
    const [actual, expected] = [live.accounting[part], recounted.accounting[part]];
    if (actual !== expected) found.push(`${part}: live ${actual}, recounted ${expected}`);
  }
  const reasons = new Set([...Object.keys(live.accounting.rejected), ...Object.keys(recounted.accounting.rejected)]);
  for (const reason of reasons as Set<keyof typeof live.accounting.rejected>) {
    const [actual, expected] = [live.accounting.rejected[reason] ?? 0, recounted.accounting.rejected[reason] ?? 0];
    if (actual !== expected) found.push(`rejected ${reason}: live ${actual}, recounted ${expected}`);
  }
  return found;
}
