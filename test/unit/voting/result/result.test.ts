import t from 'tap';
import { emptyAccounting } from '../../../../core/voting/count/accounting.ts';
import { bundlesOf, castOf } from '../../../../core/voting/count/cast.ts';
import { newSlice, type Slice } from '../../../../core/voting/count/slice.ts';
import { shift, type Tally } from '../../../../core/voting/count/tally.ts';
import type { Definition, FiguresOf, KindName } from '../../../../core/voting/kinds/definition.ts';
import { kindOf } from '../../../../core/voting/kinds/index.ts';
import type { Poll } from '../../../../core/voting/poll/poll.ts';
import { figuresOf, resultOf } from '../../../../core/voting/result/result.ts';
import { visibleResult } from '../../../../core/voting/result/visibility.ts';
import { define, pollOf } from '../../../support/kind.ts';
import { questionWith } from '../question.ts';

const figures = <Name extends KindName>(definition: Definition, tally: Tally) =>
  kindOf(definition).result(definition, bundlesOf(tally), { isFinal: false }) as FiguresOf<Name>;

const resultWith = (poll: Poll, slices: Parameters<typeof resultOf>[1]) => resultOf(poll, slices, 0);
const publicView = (result: Parameters<typeof visibleResult>[0], poll: Poll) => visibleResult(result, poll, 'public');

t.test('results: shares are relative to the ballots, and ratings have a mean', async (t) => {
  const tally: Tally = new Map([
    ['a', 3],
    ['c', 1],
  ]);
  t.same(
    figures(questionWith({}), tally).options.map(({ key, count, share }) => [key, count, share]),
    [
      ['a', 3, 0.75],
      ['b', 0, 0],
      ['c', 1, 0.25],
    ],
  );
  const many = figures<'multiple'>(
    questionWith({ kind: 'multiple' }),
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
  const grades = questionWith({ kind: 'rating', options: [{ key: '5', label: 'great' }] });
  const rated = figures(
    grades,
    new Map([
      ['5', 3],
      ['1', 1],
    ]),
  );
  t.match(rated, { mean: 4 });
  t.same(
    rated.options.map(({ label }) => label),
    ['1', '2', '3', '4', 'great'],
  );
  t.match(figures(grades, new Map()), { mean: null }, 'there is no mean without ballots');
  t.equal(figures(questionWith({}), new Map()).options[0]?.share, 0, 'shares are 0 without ballots');
});

t.test(
  'results are summed over partitions, final once all partitions are closed, and hidden if the poll says so',
  async (t) => {
    const poll = (settings: Partial<Poll>, definition = questionWith({})): Poll => ({
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
    const open = resultWith(poll({}), [part('a', true), undefined, part('b', true)]);
    t.match(open, { ballots: 2, votes: 2, final: false, at: '1970-01-01T00:00:01.000Z' });
    t.equal(
      resultWith(poll({ status: 'closed' }), [part('a', false), part('a', true)]).final,
      false,
      'a result is not final while a partition is still open',
    );
    t.equal(resultWith(poll({ status: 'closed' }), [part('a', false), undefined]).final, false);
    const final = resultWith(poll({ status: 'closed' }), [part('a', false), part('b', false)]);
    t.equal(final.final, true);
    t.equal(resultWith(poll({ status: 'draft', round: 0 }), []).at, null);

    const later = poll({ status: 'closed' }, questionWith({ visibility: 'closed' }));
    const hidden = publicView(open, { ...later, status: 'open' });
    t.match(hidden, { hidden: true, ballots: 2 });
    t.same(
      hidden.options.map(({ count }) => count),
      [null, null, null],
    );
    t.notOk(JSON.stringify(hidden).includes('"count":1'));
    t.equal(publicView(final, later).hidden, undefined, 'everybody may see the final result');
    t.equal(publicView(final, poll({}, questionWith({ visibility: 'operator' }))).hidden, true);
    const draft = publicView(resultWith(poll({ status: 'draft', round: 0 }), []), poll({ status: 'draft' }));
    t.match(draft, { title: '', options: [] }, 'a question that has not been asked yet is not revealed');
  },
);

t.test('groups are shown separately, except small ones in secret polls', async (t) => {
  const tally: Tally = new Map([
    ['a|gred', 3],
    ['b|gred', 4],
    ['a|gblue', 2],
    ['b|ggreen', 6],
    ['a', 1],
  ]);
  const groupsOf = (settings: Partial<Definition>, of = tally) =>
    figuresOf(pollOf(define('single', ['a', 'b'], { byGroup: true, ...settings })), of, true, 0).groups?.map(
      ({ group, ballots }) => [group, ballots],
    );
  t.same(groupsOf({}), [
    ['blue', 2],
    ['green', 6],
    ['red', 7],
    [null, 1],
  ]);
  const secret = { secrecy: 'secret', visibility: 'closed', minGroup: 5, eligible: 'registered' } as const;
  t.same(
    groupsOf(secret),
    [
      ['red', 7],
      [null, 9],
    ],
    'blue and the ballot without a group are still too few together, so green is merged with them',
  );
  t.same(
    groupsOf(
      secret,
      new Map([
        ['a|gred', 9],
        ['b|gblue', 2],
      ]),
    ),
    [[null, 11]],
    'showing red would reveal blue',
  );
  t.same(groupsOf(secret, new Map([['a|gred', 3]])), []);
});

t.test('a pulse result covers only the last seconds', async (t) => {
  const poll = { ...pollOf(define('pulse', ['up', 'down'], { windowMs: 10_000 })), status: 'open' as const };
  const slice = newSlice('q', 1, 'last', 1);
  slice.tally.set(castOf('up', { second: 100 }), 3).set(castOf('down', { second: 106 }), 1);
  const at = (nowMs: number) => resultOf(poll, [slice], nowMs).options.map((option) => option.count);
  t.same(at(107_000), [3, 1]);
  t.same(at(110_000), [0, 1]);
  t.same(at(120_000), [0, 0]);
});
