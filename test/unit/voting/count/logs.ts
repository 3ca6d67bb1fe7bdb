import fc from 'fast-check';
import { BallotTable } from '../../../../core/voting/count/ballots/table.ts';
import { VoteColumns } from '../../../../core/voting/count/entries/columns.ts';
import type { Entry, VoteEntry } from '../../../../core/voting/count/entry.ts';
import { type FoldState, fold } from '../../../../core/voting/count/fold.ts';
import { roundKey, type Slice } from '../../../../core/voting/count/slice.ts';
import type { Vote } from '../../../../core/voting/count/vote.ts';
import type { Definition } from '../../../../core/voting/kinds/definition.ts';
import type { Revote } from '../../../../core/voting/rules/settings.ts';

/** The state before anything has been counted. */
export const emptyState = (): FoldState => ({
  slices: new Map(),
  ballots: new Map(),
  producers: new Map(),
  refused: {},
});

/** The marker that opens a round. */
export const opening = (definition: Definition, round = 1): Entry => ({
  type: 'open',
  poll: definition.poll,
  round,
  atMs: 1,
  definition,
});

/** The marker that closes a round of poll `q`. */
export const closing = (round = 1): Entry => ({ type: 'close', poll: 'q', round, atMs: 9 });

let sequences = 0;
/** An entry with these votes in round 1 of poll `q`. Each entry has the next sequence number. */
export const votesOf = (votes: readonly Vote[], extra: Partial<VoteEntry> = {}): VoteEntry => ({
  type: 'votes',
  producer: 'run',
  sequence: sequences++,
  atMs: 5,
  rounds: [{ poll: 'q', round: 1, votes: VoteColumns.of(votes), rejected: {} }],
  refused: {},
  ...extra,
});

/** The slice of a round of poll `q`. */
export const sliceOf = (state: FoldState, round = 1): Slice => state.slices.get(roundKey('q', round)) as Slice;

/** Puts all ballots through the form in which stores keep them. */
export const storeAndLoad = (state: FoldState): void => {
  for (const [key, table] of state.ballots) {
    const { revote } = state.slices.get(key) as Slice;
    const [unstored, loaded] = [new BallotTable(revote), new BallotTable(revote)];
    for (const [voter, ballot] of table) unstored.add(voter, ballot);
    const pages = unstored.changedPages();
    loaded.load(pages.values(), unstored.pages);
    state.ballots.set(key, loaded);
  }
};

/** The slice of round 1 of poll `q` after a log has been folded in one batch. */
export const countOf = (entries: readonly Entry[]): Slice => {
  const state = emptyState();
  fold(state, entries);
  return sliceOf(state);
};

const aVote = fc.record({
  device: fc.constantFrom('d1', 'd2', 'd3', '__proto__'),
  choice: fc.constantFrom('a', 'b', 'c'),
  n: fc.option(fc.nat(5), { nil: undefined }),
  dup: fc.boolean(),
});

/** Random logs: entries with a few votes each, and occasionally a close marker. */
export const aLog = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.array(aVote, { maxLength: 6 }) },
      { weight: 1, arbitrary: fc.constant('close' as const) },
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.map((part) => (part === 'close' ? closing() : votesOf(part))));

/** A random revote rule, `last` or `first`. */
export const aRevote = fc.constantFrom<Revote>('last', 'first');
