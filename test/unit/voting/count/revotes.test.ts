import fc from 'fast-check';
import t from 'tap';
import { decodeEntry, encodeEntry } from '../../../../core/voting/count/entries/codec.ts';
import { VoteColumns } from '../../../../core/voting/count/entries/columns.ts';
import type { Entry } from '../../../../core/voting/count/entry.ts';
import { type FoldState, fold } from '../../../../core/voting/count/fold.ts';
import { roundKey } from '../../../../core/voting/count/slice.ts';
import type { Vote } from '../../../../core/voting/count/vote.ts';
import type { Definition } from '../../../../core/voting/kinds/definition.ts';
import { define } from '../../../support/kind.ts';
import { storeAndLoad } from './logs.ts';

const countOf = (definition: Definition, votes: readonly Vote[]) => {
  const state: FoldState = { slices: new Map(), ballots: new Map(), producers: new Map(), refused: {} };
  const entries: Entry[] = [
    { type: 'open', poll: 'q', round: 1, atMs: 1, definition },
    {
      type: 'votes',
      producer: 'p',
      sequence: 0,
      atMs: 2,
      rounds: [{ poll: 'q', round: 1, votes: VoteColumns.of(votes), rejected: {} }],
      refused: {},
    },
  ];
  fold(state, entries);
  const slice = state.slices.get(roundKey('q', 1));
  return { tally: Object.fromEntries(slice?.tally ?? []), ...slice?.accounting };
};

t.test('revotes: the last of at most n votes counts, and a ballot can be withdrawn', async (t) => {
  const vote = (choice: string, n?: number): Vote => ({ device: 'd', choice, n });
  const most = define('single', ['a', 'b'], { revote: 'max 2', withdraw: true });
  t.match(countOf(most, [vote('a'), vote('b'), vote('a')]), {
    tally: { b: 1 },
    received: 3,
    counted: 1,
    replaced: 1,
    rejected: { 'too-many-votes': 1 },
  });
  const free = define('single', ['a', 'b'], { withdraw: true });
  t.match(countOf(free, [vote('a'), vote('')]), { tally: {}, received: 2, counted: 0, replaced: 2, rejected: {} });
  t.match(countOf(free, [vote('a', 1), vote('', 2), vote('a', 1)]), {
    tally: {},
    counted: 0,
    replaced: 2,
    redelivered: 1,
  });
  t.match(countOf(free, [vote('a'), vote(''), vote('b')]), { tally: { b: 1 }, received: 3, counted: 1, replaced: 2 });
  t.match(countOf(free, [vote('')]), { received: 1, counted: 0, rejected: { 'nothing-to-withdraw': 1 } });
  t.match(countOf(most, [vote('a'), vote(''), vote('b')]), { tally: {}, rejected: { 'too-many-votes': 1 } });
  t.match(
    countOf(most, [vote('a'), vote('b'), vote('')]),
    { tally: {}, counted: 0, replaced: 3 },
    'a vote can be withdrawn even after the maximum number of votes',
  );
});

/** When the ballot of voter `d` was given, after these votes, each in an entry of its own. */
function answeredAt(votes: readonly (readonly [atMs: number, vote: Omit<Vote, 'device'>])[], batch: number) {
  const state: FoldState = { slices: new Map(), ballots: new Map(), producers: new Map(), refused: {} };
  const entries: Entry[] = [
    { type: 'open', poll: 'q', round: 1, atMs: 1, definition: define('single', ['a', 'b'], { withdraw: true }) },
    ...votes.map(([atMs, vote], sequence): Entry => {
      const rounds = [{ poll: 'q', round: 1, votes: VoteColumns.of([{ device: 'd', ...vote }]), rejected: {} }];
      return { type: 'votes', producer: 'p', sequence, atMs, rounds, refused: {} };
    }),
  ];
  // Entries go through the log, and ballots through the form in which stores keep them.
  const logged = entries.map((entry) => decodeEntry(encodeEntry(entry)));
  for (let at = 0; at < logged.length; at += batch) {
    fold(state, logged.slice(at, at + batch));
    storeAndLoad(state);
  }
  return state.ballots.get(roundKey('q', 1))?.ballotOf('d')?.atMs;
}

t.test('an answer that is given again keeps its time, and a late one has its press time', async (t) => {
  const cases: [string, number, readonly (readonly [number, Omit<Vote, 'device'>])[]][] = [
    [
      'the same answer',
      10,
      [
        [10, { choice: 'a' }],
        [20, { choice: 'a' }],
        [30, { choice: 'a', n: 5, t: 29 }],
      ],
    ],
    [
      'another answer',
      20,
      [
        [10, { choice: 'a' }],
        [20, { choice: 'b' }],
      ],
    ],
    [
      'there and back',
      30,
      [
        [10, { choice: 'a' }],
        [20, { choice: 'b' }],
        [30, { choice: 'a' }],
      ],
    ],
    [
      'withdrawn in between',
      30,
      [
        [10, { choice: 'a' }],
        [20, { choice: '' }],
        [30, { choice: 'a' }],
      ],
    ],
    [
      'with another weight or group',
      10,
      [
        [10, { choice: 'a|w2' }],
        [20, { choice: 'a|w3|gx' }],
      ],
    ],
    [
      'redelivered',
      10,
      [
        [10, { choice: 'a', n: 1 }],
        [20, { choice: 'a', n: 1, dup: true }],
      ],
    ],
    ['late', 12, [[40, { choice: 'a|late', t: 12 }]]],
    [
      'late, and given in time before',
      10,
      [
        [10, { choice: 'a' }],
        [40, { choice: 'a|late', t: 12 }],
      ],
    ],
    [
      'late, and another in time before',
      12,
      [
        [10, { choice: 'b' }],
        [40, { choice: 'a|late', t: 12 }],
      ],
    ],
    ['late without a press time, as in a pseudonymous poll', 40, [[40, { choice: 'a|late' }]]],
    ['in time with a press time, which is not needed', 10, [[10, { choice: 'a', t: 3 }]]],
    [
      'a press of a pulse',
      20,
      [
        [10, { choice: 'a|s1' }],
        [20, { choice: 'a|s2' }],
      ],
    ],
  ];
  for (const [name, expected, votes] of cases) {
    for (const batch of [1, 2, 10]) t.equal(answeredAt(votes, batch), expected, `${name}, ${batch} at once`);
  }
});

t.test('the accounting identity holds for any mix of votes, withdrawals, redeliveries and late votes', async () => {
  const revotes = fc.constantFrom('last', 'first', 'max 2', 'max 3');
  const votes = fc.array(
    fc.record({
      device: fc.constantFrom('d1', 'd2', 'd3'),
      choice: fc.constantFrom('a', 'b', 'a|late', 'b|w2', ''),
      n: fc.option(fc.nat(4), { nil: undefined }),
      dup: fc.boolean(),
      connection: fc.option(fc.nat(3), { nil: undefined }),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(revotes, votes, (revote, votes) => {
      const definition = { ...define('single', ['a', 'b']), revote: revote as Definition['revote'] };
      const {
        tally,
        received = 0,
        counted = 0,
        replaced = 0,
        redelivered = 0,
        rejected = {},
      } = countOf(definition, votes);
      const refused = Object.values(rejected).reduce((a, b) => a + b, 0);
      const held = Object.values(tally).reduce((a, b) => a + b, 0);
      return received === votes.length && received === counted + replaced + redelivered + refused && held === counted;
    }),
    { numRuns: 500 },
  );
});
