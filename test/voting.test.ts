import fc from 'fast-check';
import t from 'tap';
import { balances, emptyAccounting, sumAccounting, totalRejected } from '../core/voting/accounting.ts';
import { bundlesOf } from '../core/voting/cast.ts';
import { checkDefinition } from '../core/voting/definition.ts';
import { decodeEntry, type Entry, encodeEntry, type VoteEntry } from '../core/voting/entry.ts';
import { type Ballots, type FoldState, fold, MAX_PRODUCERS, touchedBy } from '../core/voting/fold.ts';
import { kinds } from '../core/voting/kinds/index.ts';
import { partitionOf } from '../core/voting/partition.ts';
import { currentInRoom, type Definition, type Poll } from '../core/voting/poll.ts';
import { differences, Recount } from '../core/voting/recount.ts';
import { resultOf as resultAt } from '../core/voting/result.ts';
import { neededFrom, withRound } from '../core/voting/retention.ts';
import type { Revote } from '../core/voting/rules.ts';
import { applyChange, newSlice, roundKey, type Slice } from '../core/voting/slice.ts';
import { shift, type Tally, total } from '../core/voting/tally.ts';
import { visibleResult } from '../core/voting/visibility.ts';
import type { Ballot, Vote } from '../core/voting/vote.ts';

const base: Definition = {
  poll: 'q',
  title: 'Question?',
  kind: 'single',
  options: ['a', 'b', 'c'].map((key) => ({ key, label: key.toUpperCase() })),
  revote: 'last',
  visibility: 'live',
};
const define = (settings: Partial<Definition>): Definition => {
  const { definition, problems } = checkDefinition({ ...base, ...settings });
  if (problems.length > 0) throw new Error(problems.join('; '));
  return definition;
};
const figures = (definition: Definition, tally: Tally) =>
  kinds[definition.kind].result(definition, bundlesOf(tally), { isFinal: false });
const resultOf = (poll: Poll, slices: Parameters<typeof resultAt>[1]) => resultAt(poll, slices, 0);
const publicView = (result: Parameters<typeof visibleResult>[0], poll: Poll) => visibleResult(result, poll, 'public');
const emptyState = (): FoldState => ({ slices: new Map(), ballots: new Map(), producers: new Map(), refused: {} });
const opening = (definition: Definition, round = 1): Entry => ({
  type: 'open',
  poll: definition.poll,
  round,
  atMs: 1,
  definition,
});
const closing = (round = 1): Entry => ({ type: 'close', poll: 'q', round, atMs: 9 });

let sequences = 0;
const votesOf = (votes: readonly Vote[], extra: Partial<VoteEntry> = {}): VoteEntry => ({
  type: 'votes',
  producer: 'run',
  sequence: sequences++,
  atMs: 5,
  rounds: [{ poll: 'q', round: 1, votes, rejected: {} }],
  refused: {},
  ...extra,
});
const sliceOf = (state: FoldState, round = 1): Slice => state.slices.get(roundKey('q', round)) as Slice;
const countOf = (entries: readonly Entry[]): Slice => {
  const state = emptyState();
  fold(state, entries);
  return sliceOf(state);
};

t.test('kinds: choices are canonical, and what is none says why', async (t) => {
  const { single, multiple, rating } = kinds;
  const one = define({});
  t.equal(single.parse('b', one), 'b');
  for (const text of ['d', 'B', 'a,b', '__proto__', 'constructor', ' ']) {
    t.same(single.parse(text, one), { rejected: 'unknown-option' }, JSON.stringify(text));
  }
  const many = define({ kind: 'multiple', min: 1, max: 2 });
  t.equal(multiple.parse('c,a', many), 'a,c', 'in the order of the poll, however it was pressed');
  t.equal(multiple.parse(' b ', many), 'b');
  t.same(multiple.parse('a,b,c', many), { rejected: 'too-many-options' });
  t.same(multiple.parse('a,b,c,a', many), { rejected: 'too-many-options' });
  t.same(multiple.parse('a,a', many), { rejected: 'duplicate-option' });
  t.same(multiple.parse('a,x', many), { rejected: 'unknown-option' });
  t.same(multiple.parse('a,', many), { rejected: 'unknown-option' });
  t.same(multiple.parse('a', define({ kind: 'multiple', min: 2 })), { rejected: 'too-few-options' });
  const grade = define({ kind: 'rating', options: [], min: -2, max: 2 });
  t.equal(rating.parse('+2', grade), '2');
  t.equal(rating.parse('-0', grade), '0');
  t.equal(rating.parse('007', define({ kind: 'rating', options: [], min: 1, max: 9 })), '7');
  t.same(rating.parse('3', grade), { rejected: 'out-of-range' });
  for (const text of ['1.5', 'two', '1e1', '0x1', '٣', ''])
    t.same(rating.parse(text, grade), { rejected: 'not-a-number' });
});

t.test('kinds: any text gets a choice or a reason, never a throw; a choice parses to itself', async () => {
  const definitions = [
    define({}),
    define({ kind: 'multiple' }),
    define({ kind: 'rating', options: [], min: -5, max: 5 }),
  ];
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[abc,0-9 -]{0,12}$/));
  fc.assert(
    fc.property(text, fc.constantFrom(...definitions), (input, definition) => {
      const kind = kinds[definition.kind];
      const choice = kind.parse(input, definition);
      return typeof choice !== 'string' || kind.parse(choice, definition) === choice;
    }),
  );
});

t.test('results: shares are of ballots, ratings have a mean', async (t) => {
  const tally: Tally = new Map([
    ['a', 3],
    ['c', 1],
  ]);
  t.same(
    figures(define({}), tally).options.map(({ key, count, share }) => [key, count, share]),
    [
      ['a', 3, 0.75],
      ['b', 0, 0],
      ['c', 1, 0.25],
    ],
  );
  const many = figures(
    define({ kind: 'multiple' }),
    new Map([
      ['a,b', 2],
      ['b', 2],
    ]),
  );
  t.same(
    many.options.map(({ count, share }) => [count, share]),
    [
      [2, 0.5],
      [4, 1],
      [0, 0],
    ],
  );
  t.equal(many.selections, 6);
  const grades = define({ kind: 'rating', options: [{ key: '5', label: 'great' }] });
  const rated = figures(
    grades,
    new Map([
      ['5', 3],
      ['1', 1],
    ]),
  );
  t.equal(rated.mean, 4);
  t.same(
    rated.options.map(({ label }) => label),
    ['1', '2', '3', '4', 'great'],
  );
  t.equal(figures(grades, new Map()).mean, null, 'no ballots, no mean');
  t.equal(figures(define({}), new Map()).options[0]?.share, 0, 'nothing divided by nothing is 0');
});

t.test('definitions: every problem is told at once', async (t) => {
  const { problems } = checkDefinition({
    ...base,
    poll: 'a b',
    room: '#',
    title: 'evil \u202e title',
    options: [
      { key: 'x', label: '' },
      { key: 'x', label: 'y'.repeat(201) },
    ],
  });
  t.same(
    problems.map((problem) => problem.split(':')[0]),
    ['poll', 'room', 'title', 'options[0].label', 'options[1].key', 'options[1].label'],
  );
  const bad: [Partial<Definition>, RegExp][] = [
    [{ kind: 'multiple', min: 3, max: 2 }, /max: must be at least min/],
    [{ kind: 'multiple', max: 4 }, /there are only 3 options/],
    [{ kind: 'multiple', min: 0 }, /min: must be at least 1/],
    [{ kind: 'rating', options: [], min: 5, max: 5 }, /max: must be above min/],
    [{ kind: 'rating', options: [], min: 0, max: 1e9 }, /at most 101 grades/],
    [{ kind: 'rating', min: 1, max: 3 }, /"a" is not a grade/],
    [{ options: [] }, /at least 2/],
    [{ title: 'x'.repeat(10_000) }, /at most 300/],
    [{ title: '  ' }, /must not be empty/],
    [{ options: Array.from({ length: 101 }, (_, i) => ({ key: `o${i}`, label: 'x' })) }, /at most 100/],
  ];
  for (const [settings, expected] of bad)
    t.match(checkDefinition({ ...base, ...settings }).problems.join('\n'), expected);
  t.same(
    checkDefinition({ ...base, title: '<script>alert(1)</script>' }).problems,
    [],
    'text is text, pages show it as such',
  );
});

t.test('fold: revote, redelivery, late and early votes', async (t) => {
  const count = (revote: Revote, votes: readonly Vote[]) => {
    const { tally, accounting } = countOf([opening(define({ revote })), votesOf(votes)]);
    return { tally: [...tally], ...accounting };
  };
  const a = { device: 'd', choice: 'a' };
  const b = { device: 'd', choice: 'b' };
  t.same(count('last', [a, b]).tally, [['b', 1]]);
  t.match(count('last', [a, b]), { received: 2, counted: 1, replaced: 1 });
  t.match(count('last', [a, a]), { counted: 1, replaced: 1, redelivered: 0 }, 'pressed twice');
  t.match(count('last', [a, { ...a, dup: true }]), { counted: 1, redelivered: 1, replaced: 0 }, 'sent twice');
  t.match(count('last', [{ ...a, dup: true }]), { counted: 1, redelivered: 0 }, 'the first copy never came');
  t.same(
    count('last', [
      { ...a, n: 1 },
      { ...b, n: 2 },
      { ...a, n: 1, dup: true },
    ]).tally,
    [['b', 1]],
  );
  t.same(
    count('last', [
      { ...a, n: 7 },
      { ...b, n: 3 },
    ]).tally,
    [['a', 1]],
    'a lower n never overrides a higher one',
  );
  t.same(count('last', [{ ...a, n: 7 }, b, { ...a, n: 6 }]).tally, [['b', 1]], 'not even after a vote without n');
  const by = (connection: number, vote: Vote): Vote => ({ ...vote, connection });
  t.match(
    count('last', [by(1, a), by(2, b), by(1, a)]),
    { tally: [['b', 1]], replaced: 1, redelivered: 1 },
    'what comes late by an earlier connection never overrides',
  );
  t.same(count('last', [by(2, b), by(1, { ...a, n: 9 }), by(2, { ...b, n: 8 })]).tally, [['b', 1]]);
  t.same(
    count('last', [by(2, { ...b, n: 1 }), by(1, { ...a, n: 2 })]).tally,
    [['a', 1]],
    'unless n says that it is newer',
  );
  t.same(count('last', [by(2, b), a]).tally, [['b', 1]], 'no number is the lowest');
  t.same(count('first', [a, b]).tally, [['a', 1]]);
  t.match(count('first', [a, b]), { counted: 1, rejected: { 'already-voted': 1 } });
  t.match(count('first', [a, { ...a, dup: true }]), { counted: 1, redelivered: 1 });

  const vote = votesOf([{ device: 'e', choice: 'a' }]);
  t.match(countOf([opening(define({})), closing(), vote]).accounting, {
    received: 1,
    counted: 0,
    rejected: { closed: 1 },
  });
  const early = emptyState();
  fold(early, [vote, opening(define({}))]);
  t.match(early.refused, { 'not-open': 1 }, 'before the marker it is nobody’s');
  t.equal(sliceOf(early).accounting.received, 0);
});

t.test('fold: markers and producers act once', async (t) => {
  const vote = votesOf([{ device: 'd', choice: 'a' }]);
  const state = emptyState();
  fold(state, [opening(define({})), vote, opening(define({})), vote, closing(), closing()]);
  t.equal(sliceOf(state).accounting.received, 1, 'a resent entry is folded once');
  t.equal(sliceOf(state).open, false);
  fold(state, [opening(define({}))]);
  t.equal(sliceOf(state).open, false, 'a late open marker does not reopen');
  fold(state, [opening(define({}), 2)]);
  t.equal(sliceOf(state, 2).open, true);
  t.equal(sliceOf(state, 2).accounting.received, 0, 'every round is tallied by itself');

  const many = emptyState();
  const runs = Array.from({ length: MAX_PRODUCERS + 5 }, (_, i) => votesOf([], { producer: `run-${i}`, rounds: [] }));
  const { producers } = fold(many, runs);
  t.equal(many.producers.size, MAX_PRODUCERS, 'the oldest are forgotten');
  t.same(
    producers.filter(([, sequence]) => sequence === null).map(([run]) => run),
    ['run-0', 'run-1', 'run-2', 'run-3', 'run-4'],
  );
});

const aVote = fc.record({
  device: fc.constantFrom('d1', 'd2', 'd3', '__proto__'),
  choice: fc.constantFrom('a', 'b', 'c'),
  n: fc.option(fc.nat(5), { nil: undefined }),
  dup: fc.boolean(),
});
const aLog = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.array(aVote, { maxLength: 6 }) },
      { weight: 1, arbitrary: fc.constant('close' as const) },
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.map((part) => (part === 'close' ? closing() : votesOf(part))));
const aRevote = fc.constantFrom<Revote>('last', 'first');

t.test('fold: cutting the log into any batches, with only what is touched at hand, changes nothing', async () => {
  fc.assert(
    fc.property(aLog, aRevote, fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1 }), (log, revote, cuts) => {
      const entries = [opening(define({ revote })), ...log];
      const whole = countOf(entries);
      const kept = new CommittedCounts();
      for (let at = 0, i = 0; at < entries.length; i++) {
        const size = cuts[i % cuts.length] as number;
        kept.commit(entries.slice(at, at + size));
        at += size;
      }
      return differences(kept.slices.get('q/1'), whole).length === 0;
    }),
  );
});

t.test('fold: the sum of the tally is the ballots, and nothing is unaccounted for', async () => {
  fc.assert(
    fc.property(aLog, aRevote, fc.nat(50), (log, revote, refused) => {
      const edge = votesOf([], { rounds: [{ poll: 'q', round: 1, votes: [], rejected: { empty: refused } }] });
      const { tally, accounting } = countOf([opening(define({ revote })), ...log, edge]);
      return total(tally) === accounting.counted && balances(accounting);
    }),
  );
});

t.test('fold: how devices interleave does not matter, nor do redeliveries', async () => {
  const script = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.array(script, { minLength: 1, maxLength: 5 }),
      fc.infiniteStream(fc.nat(1000)),
      aRevote,
      (scripts, chance, revote) => {
        const draw = () => chance.next().value as number;
        const inOrder = scripts.flatMap((choices, i) => choices.map((choice, n) => ({ device: `d${i}`, choice, n })));
        const queues = scripts.map((choices, i) => choices.map((choice, n) => ({ device: `d${i}`, choice, n })));
        const shuffled: Vote[] = [];
        while (queues.some((queue) => queue.length > 0)) {
          const left = queues.filter((queue) => queue.length > 0);
          const vote = (left[draw() % left.length] as Vote[]).shift() as Vote;
          shuffled.push(vote);
          const earlier = shuffled.filter(({ device }) => device === vote.device);
          if (draw() % 3 === 0) shuffled.push({ ...(earlier[draw() % earlier.length] as Vote), dup: true });
        }
        const tally = (votes: Vote[]) => [...countOf([opening(define({ revote })), votesOf(votes)]).tally].sort();
        return JSON.stringify(tally(inOrder)) === JSON.stringify(tally(shuffled));
      },
    ),
  );
});

t.test('recount: the log alone gives the live count, and a difference is told', async (t) => {
  fc.assert(
    fc.property(aLog, aRevote, (log, revote) => {
      const other = votesOf([{ device: 'd1', choice: 'a' }], {
        rounds: [{ poll: 'other', round: 1, votes: [], rejected: {} }],
      });
      const entries = [opening(define({ revote })), ...log, other];
      const again = new Recount('q', 1);
      for (const entry of entries) again.add([decodeEntry(encodeEntry(entry))]);
      return differences(countOf(entries), again.slice).length === 0;
    }),
  );
  const live = newSlice('q', 1, 'last', 1);
  const wrong = newSlice('q', 1, 'last', 1);
  shift(wrong.tally, 'a', 1);
  wrong.accounting.rejected.empty = 2;
  t.same(differences(live, wrong), ['choice "a": live 0, recounted 1', 'rejected empty: live 0, recounted 2']);
  t.match(differences(undefined, live), [/does not know/]);
  t.match(differences(live, undefined), [/not in the log/]);
});

t.test('entries: encoding loses nothing, and garbage is refused', async (t) => {
  fc.assert(
    fc.property(
      aLog,
      (log) => JSON.stringify(log.map((e) => decodeEntry(encodeEntry(e)))) === JSON.stringify(normal(log)),
    ),
  );
  const numbered = votesOf([
    { device: 'd', choice: 'a', n: undefined, t: undefined, dup: false, connection: 12 },
    { device: 'e', choice: 'b', n: 3, t: 4, dup: true, connection: undefined },
  ]);
  t.same(decodeEntry(encodeEntry(numbered)), numbered);
  t.throws(() => decodeEntry('{"type":"x"}'), SyntaxError);
  t.throws(() => decodeEntry('{'), SyntaxError);
  const votes = Array.from({ length: 500 }, (_, i) => ({ device: `clicker-${i}`, choice: 'b' }));
  t.ok(encodeEntry(votesOf(votes)).length / 500 < 25, 'a vote costs less than 25 bytes on the log');
});

t.test('changes: applying them twice is harmless', async (t) => {
  const state = emptyState();
  fold(state, [opening(define({}))]);
  const { slices } = fold(state, [votesOf([{ device: 'd', choice: 'a' }])]);
  const change = slices[0] as (typeof slices)[0];
  const twice = applyChange(applyChange(undefined, change), change);
  t.same([...twice.tally], [['a', 1]]);
  t.same(differences(twice, sliceOf(state)), []);
});

t.test('results: final, hidden and summed over partitions', async (t) => {
  const poll = (settings: Partial<Poll>, definition = define({})): Poll => ({
    definition,
    status: 'open',
    round: 1,
    createdAtMs: 0,
    ...settings,
  });
  const part = (choice: string, open: boolean): Slice => {
    const slice = {
      ...newSlice('q', 1, 'last', 1_000),
      open,
      accounting: { ...emptyAccounting(), received: 1, counted: 1 },
    };
    shift(slice.tally, choice, 1);
    return slice;
  };
  const open = resultOf(poll({}), [part('a', true), undefined, part('b', true)]);
  t.match(open, { ballots: 2, votes: 2, final: false, at: '1970-01-01T00:00:01.000Z' });
  t.equal(
    resultOf(poll({ status: 'closed' }), [part('a', false), part('a', true)]).final,
    false,
    'one partition is behind',
  );
  t.equal(resultOf(poll({ status: 'closed' }), [part('a', false), undefined]).final, false);
  const final = resultOf(poll({ status: 'closed' }), [part('a', false), part('b', false)]);
  t.equal(final.final, true);
  t.equal(resultOf(poll({ status: 'draft', round: 0 }), []).at, null);

  const later = poll({ status: 'closed' }, define({ visibility: 'closed' }));
  const hidden = publicView(open, { ...later, status: 'open' });
  t.match(hidden, { hidden: true, ballots: 2 });
  t.same(
    hidden.options.map(({ count }) => count),
    [null, null, null],
  );
  t.notOk(JSON.stringify(hidden).includes('"count":1'));
  t.equal(publicView(final, later).hidden, undefined, 'final: everybody may see');
  t.equal(publicView(final, poll({}, define({ visibility: 'operator' }))).hidden, true);
  const draft = publicView(resultOf(poll({ status: 'draft', round: 0 }), []), poll({ status: 'draft' }));
  t.match(draft, { title: '', options: [] }, 'a question that was not asked yet stays secret');
});

t.test('partitions spread devices evenly and never change', async (t) => {
  const counts = new Array(8).fill(0);
  for (let i = 0; i < 8_000; i++) counts[partitionOf(`clicker-${i}`, 8)]++;
  t.ok(Math.min(...counts) > 800 && Math.max(...counts) < 1200, counts.join(' '));
  t.equal(partitionOf('clicker-1', 1024), 238, 'fixed for ever: logs on disk depend on it');
});

t.test('a room means the poll that is open there, else the one opened last', async (t) => {
  const poll = (id: string, status: Poll['status'], openedAtMs: number, round = 1): Poll => ({
    definition: { ...base, poll: id, room: 'hall' },
    status,
    round,
    createdAtMs: 0,
    openedAtMs,
  });
  const at = (...polls: Poll[]) => currentInRoom(polls, 'hall')?.definition.poll;
  t.equal(at(poll('a', 'open', 1), poll('b', 'closed', 2)), 'a');
  t.equal(at(poll('a', 'closed', 1), poll('b', 'closed', 2)), 'b');
  t.equal(at(poll('a', 'draft', 0, 0)), undefined);
  t.equal(totalRejected(sumAccounting([]).rejected), 0);
});

/** What a counter keeps between commits: only changes are written, only what is touched is read. */
class CommittedCounts {
  readonly slices = new Map<string, Slice>();
  private readonly ballots = new Map<string, Ballot>();
  private readonly producers = new Map<string, number>();

  commit(entries: readonly Entry[]): void {
    const state: FoldState = { slices: new Map(), ballots: new Map(), producers: new Map(this.producers), refused: {} };
    for (const { poll, round, devices } of touchedBy(entries)) {
      const key = roundKey(poll, round);
      const slice = this.slices.get(key);
      if (slice) state.slices.set(key, structuredClone(slice));
      const known: Ballots = new Map();
      for (const device of devices) {
        const ballot = this.ballots.get(`${key}/${device}`);
        if (ballot) known.set(device, ballot);
      }
      state.ballots.set(key, known);
    }
    const changes = fold(state, entries);
    for (const change of changes.slices) {
      const key = roundKey(change.poll, change.round);
      this.slices.set(key, applyChange(this.slices.get(key), change));
    }
    for (const [poll, round, device, ballot] of changes.ballots)
      this.ballots.set(`${roundKey(poll, round)}/${device}`, ballot);
    for (const [run, sequence] of changes.producers) {
      if (sequence === null) this.producers.delete(run);
      else this.producers.set(run, sequence);
    }
  }
}

/** A log as it looks after encoding: absent and undefined are the same, DUP is a truth value. */
function normal(log: readonly Entry[]): Entry[] {
  return log.map((entry) =>
    entry.type !== 'votes'
      ? entry
      : {
          ...entry,
          rounds: entry.rounds.map((r) => ({
            ...r,
            votes: r.votes.map(({ device, choice, n, dup }) => ({ device, choice, n, dup: dup === true })),
          })),
        },
  );
}

t.test('retention: a round that closed lately, or is not closed, keeps its log from its opening on', async (t) => {
  const hour = 3_600_000;
  const poll = (times: object) => ({ definition: {}, status: 'closed', round: 1, createdAtMs: 0, ...times }) as Poll;
  const before = 1_000 * hour;
  const from = (...polls: Poll[]) => neededFrom(polls, before) / hour + 1;
  t.equal(from(), 1_000);
  t.equal(from(poll({})), 1_000, 'a draft needs nothing');
  t.equal(from(poll({ openedAtMs: 5 * hour, closedAtMs: 900 * hour })), 1_000, 'closed long ago');
  t.equal(from(poll({ openedAtMs: 5 * hour, closedAtMs: 1_001 * hour })), 5);
  t.equal(from(poll({ openedAtMs: 7 * hour })), 7, 'still open');
  const pastRounds = [{ openedAtMs: 20 * hour, closedAtMs: 1_002 * hour }];
  t.equal(from(poll({ openedAtMs: 1_003 * hour, closedAtMs: 1_004 * hour, pastRounds })), 20);
  let past: ReturnType<typeof withRound> = [];
  for (let i = 0; i < 150; i++) past = withRound(past, { openedAtMs: i, closedAtMs: i + 0.5 });
  t.equal(past.length, 100);
  t.same(
    [past[0], past[1]],
    [
      { openedAtMs: 0, closedAtMs: 50.5, isMerged: true },
      { openedAtMs: 51, closedAtMs: 51.5 },
    ],
    'none is forgotten',
  );
});
