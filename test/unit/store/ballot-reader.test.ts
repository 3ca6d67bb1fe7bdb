/** Ballots are read within a time limit, however long the votes behind a checkpoint take to read. */
import t from 'tap';
import { BallotReader } from '../../../core/store/ballots/reader.ts';
import type { VoteLog } from '../../../core/store/store.ts';
import { VoteColumns } from '../../../core/voting/count/entries/columns.ts';
import { pause } from '../../../core/waiting/pause.ts';
import { MemoryStore } from '../processors/memory-store.ts';
import { questionWith } from '../voting/question.ts';

const VOTERS = Array.from({ length: 100 }, (_, i) => `d${i}`);
const MAX_TAIL_MS = 20;

t.test('votes that cannot be read in time are an error, and the next reading goes on from there', async (t) => {
  const { memory, slow } = await counted();
  const reader = new BallotReader({ log: slow(MAX_TAIL_MS), counts: memory.store.counts }, MAX_TAIL_MS);
  await t.rejects(reader.of(0, 'q', 1, VOTERS), {
    name: 'StoreError',
    message: /votes of partition 0 .* could not be read within 0\.02 s; try again/,
  });
  let failures = 1;
  for (;;) {
    const found = await reader.of(0, 'q', 1, VOTERS).catch(() => undefined);
    if (found) {
      t.ok(found.every((ballot) => ballot?.choice === 'a'));
      break;
    }
    if (++failures > VOTERS.length) throw new Error('the reader makes no progress');
  }
  t.ok(failures > 1, 'a reading of all took several tries');
});

t.test('readings that come together have one limit, and no vote is read twice', async (t) => {
  const { memory, slow } = await counted();
  const reader = new BallotReader({ log: slow(0), counts: memory.store.counts }, 10_000);
  const found = await Promise.all(VOTERS.slice(0, 5).map((voter) => reader.of(0, 'q', 1, [voter])));
  t.ok(found.every(([ballot]) => ballot?.choice === 'a' && ballot.votes === undefined));
});

for (const how of ['damaged', 'gone'] as const) {
  t.test(`an entry that is ${how} after it was counted is reported, and answers say that it is missing`, async (t) => {
    const { memory, offsets } = await counted();
    const [, lost] = offsets;
    memory.spoilt.set(lost as string, how);
    const reports: string[] = [];
    const { log, counts } = memory.store;
    const reader = new BallotReader({ log, counts, report: (message) => reports.push(message) });
    const found = await reader.of(0, 'q', 1, VOTERS);
    t.same(
      found.map((ballot, i) => (ballot ? undefined : i)).filter((i) => i !== undefined),
      [1],
      'all others have their ballots',
    );
    t.equal(reader.missing(0), 1);
    await reader.of(0, 'q', 1, VOTERS);
    t.equal(reader.missing(0), 1);
    t.match(reports, [/^1 entries of partition 0 .* damaged or gone/]);
    t.equal(reports.length, 1, 'once');
    const last = offsets.at(-1) as string;
    const checkpoint = { producers: new Map(), rounds: [] };
    memory.database.commit({
      ...{ partition: 0, producers: [], refused: {}, slices: [], checkpoint },
      ...{
        expected: last,
        expectedCheckpoint: memory.database.position(0).checkpoint?.offset,
        offset: last,
        entries: 0,
      },
    });
    await reader.of(0, 'q', 1, VOTERS);
    t.equal(reader.missing(0), 0, 'ballots are stored as they were in memory');
  });
}

/** A store with a counted vote per voter, none of which is stored as a ballot, and its log with a pause before each read. */
async function counted() {
  const memory = new MemoryStore();
  const open = { type: 'open', poll: 'q', round: 1, atMs: 1, definition: questionWith({ poll: 'q' }) } as const;
  const [first, ...rest] = [memory.append(open), ...VOTERS.map(voteOf)];
  const { database } = memory;
  const slice = { poll: 'q', round: 1, revote: 'last', open: true, atMs: 1, weights: [] } as const;
  const accounting = { received: 0, counted: 0, replaced: 0, redelivered: 0, rejected: {} };
  const commit = { partition: 0, producers: [], refused: {} };
  const checkpoint = { producers: new Map(), rounds: [] };
  database.commit({
    ...{ ...commit, expected: '0-0', expectedCheckpoint: undefined, offset: first as string, entries: 1 },
    ...{ slices: [{ ...slice, accounting }], checkpoint },
  });
  const offset = rest.at(-1) as string;
  const behind = { expected: first as string, expectedCheckpoint: first as string, offset, entries: rest.length };
  t.equal(database.commit({ ...commit, ...behind, slices: [] }), true);
  const slow = (ms: number): VoteLog => ({
    ...memory.store.log,
    read: async (cursors, options) => {
      await pause(ms);
      return memory.store.log.read(cursors, options);
    },
  });
  return { memory, slow, offsets: rest };

  function voteOf(device: string, sequence: number) {
    const votes = VoteColumns.of([{ device, choice: 'a' }]);
    const rounds = [{ poll: 'q', round: 1, votes, rejected: {} }];
    return memory.append({ type: 'votes', producer: 'run', sequence, atMs: 2, rounds, refused: {} });
  }
}
