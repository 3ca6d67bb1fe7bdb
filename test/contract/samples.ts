import { START } from '../../core/store/offset.ts';
import type { Commit, StoredPages } from '../../core/store/store.ts';
import type { Ballot } from '../../core/voting/count/ballot.ts';
import { BallotTable } from '../../core/voting/count/ballots/table.ts';
import { VoteColumns } from '../../core/voting/count/entries/columns.ts';
import type { Entry } from '../../core/voting/count/entry.ts';

const definition = {
  poll: 'q',
  title: 'Q',
  kind: 'single' as const,
  options: [],
  revote: 'last' as const,
  visibility: 'live' as const,
};

/** The marker that opens a poll’s first round. */
export const marker = (poll: string): Entry => ({
  type: 'open',
  poll,
  round: 1,
  atMs: 1,
  definition: { ...definition, poll },
});

/** An entry with one vote. */
export const votes = (sequence: number, device = 'd'): Entry => ({
  type: 'votes',
  producer: 'run',
  sequence,
  atMs: 2,
  rounds: [{ poll: 'q', round: 1, votes: VoteColumns.of([{ device, choice: 'a' }]), rejected: {} }],
  refused: { empty: 1 },
});

/** The accounting of a slice; the figures do not matter. */
export const accounting = { received: 1, counted: 1, replaced: 0, redelivered: 0, rejected: { closed: 2 } };

/** A commit that advances a partition by one entry. By default, the partition has no checkpoint yet. */
export const commitOf = (
  partition: number,
  expected: string,
  offset: string,
  fields: Partial<Commit> = {},
): Commit => ({
  partition,
  expected,
  expectedCheckpoint: undefined,
  offset,
  entries: 1,
  slices: [],
  producers: [],
  refused: {},
  ...fields,
});

/** The pages of a round with these ballots, for a checkpoint. */
export const pagesOf = (
  ballots: readonly (readonly [voter: string, ballot: Ballot])[],
  place = { poll: 'q', round: 1 },
): StoredPages => {
  const table = new BallotTable('last');
  for (const [voter, ballot] of ballots) table.add(voter, ballot);
  const pages = table.changedPages();
  return { ...place, count: table.pages, pages, replacesRows: false };
};

/** Options for a read that returns the existing entries without waiting. */
export const read = { limit: 100, waitMs: 0 };

/** The offset from which to read one partition. */
export const cursor = (partition: number, offset = START) => new Map([[partition, offset]]);
