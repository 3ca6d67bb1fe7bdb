/** Published worked examples, each with its source. A method must give the published result. */
import t from 'tap';
import { define, profile, resultOf } from '../../../../support/kind.ts';

t.test(
  'ranked pairs: Schulze’s example with 45 voters, where the Schulze method elects a different option',
  async (t) => {
    const ballots = profile('5 ACBED; 5 ADECB; 8 BEDAC; 3 CABED; 7 CAEBD; 2 CBADE; 7 DCEBA; 8 EBADC');
    const ranked = new Map([...ballots].map(([choice, times]) => [[...choice].join('>'), times]));
    const result = resultOf(define('ranking', ['A', 'B', 'C', 'D', 'E'], { method: 'condorcet' }), ranked);
    t.same(result.matrix, [
      [null, 20, 26, 30, 22],
      [25, null, 16, 33, 18],
      [19, 29, null, 17, 24],
      [15, 12, 28, null, 14],
      [23, 27, 21, 31, null],
    ]);
    const locked = result.locked.map(({ over, under }: { over: string; under: string }) => over + under);
    t.same(locked, ['BD', 'ED', 'AD', 'CB', 'EB', 'AC', 'CE']);
    t.match(result, { condorcetWinner: null, completed: true, winners: ['A'] });
  },
);

t.test('ranked pairs: Condorcet’s own cycle (Young, "Condorcet’s Theory of Voting", 1988)', async (t) => {
  const ballots = profile('23 A>B>C; 17 B>C>A; 2 B>A>C; 10 C>A>B; 8 C>B>A');
  const of = (method: 'condorcet' | 'borda' | 'irv') =>
    resultOf(define('ranking', ['A', 'B', 'C'], { method }), ballots);
  const result = of('condorcet');
  t.same(result.matrix, [
    [null, 33, 25],
    [27, null, 42],
    [35, 18, null],
  ]);
  t.same(
    result.locked.map(({ over, under, votes }: { over: string; under: string; votes: number }) => [
      over + under,
      votes,
    ]),
    [
      ['BC', 42],
      ['CA', 35],
    ],
  );
  t.same(result.winners, ['B']);
  t.same(
    of('borda').points.map(({ points }: { points: number }) => points),
    [58, 69, 53],
  );
  t.same(of('irv').winners, ['A'], 'instant-runoff elects a different option than ranked pairs');
});

t.test('ranked pairs: ties (Gorr’s example 4) and short ballots', async (t) => {
  const ballots = '12 ADCB; 3 BACD; 25 BCAD; 21 CBAD; 12 DABC; 21 DACB; 6 DBAC';
  const ranked = new Map([...profile(ballots)].map(([choice, times]) => [[...choice].join('>'), times]));
  const of = (settings: object, lot?: string[]) =>
    resultOf(define('ranking', ['A', 'B', 'C', 'D'], { method: 'condorcet', ...settings }), ranked, true, lot);
  const arcs = ({ locked }: { locked: { over: string; under: string }[] }) =>
    locked.map(({ over, under }) => over + under).sort();
  t.same(arcs(of({})), ['AD', 'BA', 'DC'], 'equally strong majorities that contradict each other are left out');
  t.same(of({}).winners, ['B']);
  t.same(of({ tieBreak: 'lot' }, ['C', 'A', 'B', 'D']).winners, ['C'], 'the lot decides that C over B is locked first');
  const short = profile('68 A>B; 72 B>C; 52 C>A');
  t.same(resultOf(define('ranking', ['A', 'B', 'C'], { method: 'condorcet' }), short).winners, ['B']);
  const level = resultOf(
    define('ranking', ['A', 'B', 'C'], { method: 'condorcet' }),
    profile('1 A>B>C; 1 B>C>A; 1 C>A>B'),
  );
  t.same(level.winners, ['A', 'B', 'C'], 'options in a perfect cycle are tied');
});
