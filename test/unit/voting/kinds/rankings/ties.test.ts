/** Ties in counts that eliminate options: what is decided, by what, and what is left open. */
import t from 'tap';
import type { Tally } from '../../../../../core/voting/count/tally.ts';
import type { Draft } from '../../../../../core/voting/kinds/definition.ts';
import { seeded } from '../../../../../devices-sim/random.ts';
import { define, profile, resultOf, resultWith } from '../../../../support/kind.ts';

/** How many random polls each property is checked with. */
const POLLS = Number(process.env.TIE_POLLS ?? 300);

const ranked = (keys: readonly string[], settings: Partial<Draft> = {}) => define('ranking', keys, settings);

t.test('instant-runoff goes on when three options are level', async (t) => {
  const ballots = profile('3 A>B; 3 B>A; 3 C>B');
  const of = (settings: Partial<Draft>, lot?: string[]) =>
    resultOf(ranked(['C', 'A', 'B'], settings), ballots, true, lot);
  t.match(of({ tieBreak: 'order' }), { winners: ['A'], tied: ['C', 'A', 'B'], tieBrokenBy: 'order' });
  t.match(of({}), { winners: [], unresolved: ['C', 'A', 'B'] });
  for (const lot of ordersOf(['A', 'B', 'C'])) {
    t.not(of({ tieBreak: 'lot' }, lot).winners[0], 'C', 'C wins under no lot');
  }
});

t.test('instant-runoff: two options that are level to the end are undecided', async (t) => {
  const of = (settings: Partial<Draft>) => resultOf(ranked(['a', 'b', 'c'], settings), profile('2 a; 2 b; 1 c'));
  t.match(of({}), { winners: [], unresolved: ['a', 'b'] });
  t.match(of({ tieBreak: 'order' }), { winners: ['a'], tied: ['a', 'b'], tieBrokenBy: 'order' });
});

t.test('instant-runoff can go on until two options are left', async (t) => {
  const ballots = profile('60 a>b; 25 b; 15 c>b');
  t.equal(resultOf(ranked(['a', 'b', 'c']), ballots).rounds.length, 1);
  const { rounds, winners } = resultOf(ranked(['a', 'b', 'c'], { until: 'two' }), ballots);
  t.same(winners, ['a']);
  t.same(rounds.at(-1).counts, [
    { key: 'a', count: 60 },
    { key: 'b', count: 40 },
  ]);
  const alone = resultOf(ranked(['a', 'b', 'c', 'd'], { until: 'two' }), profile('9 a'));
  t.same(alone.winners, ['a'], 'options without votes are eliminated down to two');
  t.equal(alone.rounds.at(-1).counts.length, 2);
});

t.test('STV without a tie-breaker excludes level options together only where the order cannot matter', async (t) => {
  const keys = ['A', 'B', 'C', 'D', 'E'];
  const ballots = profile('1 A>C>E; 1 B>C>E; 1 C; 4 C>D; 4 D>C; 4 E>D');
  const open = resultOf(ranked(keys, { method: 'stv', seats: 2 }), ballots);
  t.same(open.winners.toSorted(), ['C', 'E']);
  for (const lot of ordersOf(keys)) {
    const drawn = resultOf(ranked(keys, { method: 'stv', seats: 2, tieBreak: 'lot' }), ballots, true, lot);
    t.same(drawn.winners.toSorted(), ['C', 'E']);
  }
});

t.test('a lot that people drew decides the tie it was drawn for, and no other', async (t) => {
  const definition = ranked(['C', 'A', 'B']);
  const ballots = profile('3 A>B; 3 B>A; 3 C>B');
  const of = (...orders: string[][]) =>
    resultWith(definition, ballots, { draws: orders.map((order) => ({ order, atMs: 1 })) });
  t.match(of(['B', 'A', 'C']), { winners: ['B'], tied: ['C', 'A', 'B'], tieBrokenBy: 'lot' });
  t.match(of(['C', 'A', 'B']), { winners: ['A'], tieBrokenBy: 'lot' });
  t.match(
    of(['A', 'B']),
    { winners: [], unresolved: ['C', 'A', 'B'] },
    'a lot without C does not say whether C goes out',
  );
  const twice = ranked(['a', 'b', 'c', 'd']);
  const four = profile('3 a; 3 b; 2 c>a; 2 d>b');
  const draw = (...orders: string[][]) =>
    resultWith(twice, four, { draws: orders.map((order) => ({ order, atMs: 1 })) });
  t.match(draw(), { winners: [], unresolved: ['c', 'd'] });
  t.match(draw(['c', 'd']), { winners: ['b'], tieBrokenBy: 'lot' }, 'a and b end up level, and b was ahead before');
  t.match(
    resultWith(define('single', ['a', 'b', 'c']), profile('2 a; 2 b; 1 c'), {
      draws: [{ order: ['b', 'a'], atMs: 1 }],
    }),
    { winners: ['b'], tied: ['a', 'b'], tieBrokenBy: 'lot' },
  );
});

t.test(
  'an option that was withdrawn after voting cannot win, and its ballots count for the next preference',
  async (t) => {
    const withdrawals = [{ option: 'a', atMs: 1 }];
    const ballots = profile('5 a>b; 4 c; 2 b');
    const of = (settings: Partial<Draft>) => resultWith(ranked(['a', 'b', 'c'], settings), ballots, { withdrawals });
    t.same(of({}).winners, ['b']);
    t.same(of({ method: 'stv' }).winners, ['b']);
    t.same(of({ method: 'stv', rules: 'meek' }).winners, ['b']);
    t.same(of({ method: 'condorcet' }).winners, ['b']);
    t.same(of({ method: 'borda' }).winners, ['b']);
    t.equal(of({}).options[0].count, 5, 'the first preferences stay on record');
    const single = resultWith(define('single', ['a', 'b', 'c']), profile('5 a; 4 c; 2 b'), { withdrawals });
    t.same(single.winners, ['c']);
    const star = resultWith(define('score', ['a', 'b'], { method: 'star' }), profile('5 a:5,b:0'), { withdrawals });
    t.same([star.finalists, star.winners], [['b'], ['b']]);
    const alone = resultWith(ranked(['a', 'b'], { method: 'stv' }), profile('3 a>b'), { withdrawals });
    t.same(alone.winners, ['b']);
  },
);

t.test(`random polls (${POLLS}): every way of breaking ties leads to the winners that are named`, async (t) => {
  const random = seeded(Number(process.env.CHAOS_SEED ?? 2026));
  let undecided = 0;
  let decided = 0;
  for (let i = 0; i < POLLS; i++) {
    const keys = ['A', 'B', 'C', 'D', 'E'].slice(0, 3 + Math.floor(random() * 3));
    const ballots = randomBallots(keys, 4 + Math.floor(random() * 20), random);
    const seats = 1 + Math.floor(random() * 2);
    for (const settings of [
      { method: 'irv' },
      { method: 'irv', until: 'two' },
      { method: 'stv', seats },
      { method: 'stv', seats, rules: 'wigm' },
      { method: 'stv', seats, rules: 'meek' },
    ] satisfies Partial<Draft>[]) {
      const lots = new Set<string>();
      const byLot = ranked(keys, { ...settings, tieBreak: 'lot' });
      for (const lot of ordersOf(keys)) {
        const { winners, unresolved } = resultOf(byLot, ballots, true, lot);
        if (unresolved) t.fail(`undecided in spite of a lot: ${JSON.stringify({ settings, ballots: [...ballots] })}`);
        lots.add(winners.toSorted().join());
      }
      const { winners, unresolved } = resultOf(ranked(keys, settings), ballots);
      const named = winners.toSorted().join();
      const isInEvery = [...lots].every((lot) => winners.every((key: string) => lot.split(',').includes(key)));
      if (unresolved) undecided++;
      else decided++;
      if (unresolved ? !isInEvery : lots.size !== 1 || !lots.has(named)) {
        t.fail(JSON.stringify({ settings, ballots: [...ballots], winners, unresolved, lots: [...lots] }));
      }
      if (unresolved && lots.size === 1 && settings.method === 'irv') {
        t.fail(`undecided although all lots agree: ${JSON.stringify({ settings, ballots: [...ballots] })}`);
      }
    }
  }
  t.comment(`${decided} decided, ${undecided} undecided`);
  t.ok(undecided > 0 && decided > undecided);
});

function randomBallots(keys: readonly string[], voters: number, random: () => number): Tally {
  const tally: Tally = new Map();
  for (let voter = 0; voter < voters; voter++) {
    const order = keys
      .map((key) => ({ key, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ key }) => key);
    const choice = order.slice(0, 1 + Math.floor(random() * keys.length)).join('>');
    tally.set(choice, (tally.get(choice) ?? 0) + 1);
  }
  return tally;
}

/** All orders of the keys. */
function ordersOf(keys: readonly string[]): string[][] {
  if (keys.length < 2) return [[...keys]];
  return keys.flatMap((first) => ordersOf(keys.filter((key) => key !== first)).map((rest) => [first, ...rest]));
}
