/** Published worked examples, each with its source. A method must give the published result. */
import t from 'tap';
import { define, profile, resultOf } from '../../../../support/kind.ts';

t.test('Borda: every variant on four short ballots (votesys; Emerson 2013)', async (t) => {
  const ballots = profile('1 A>E>C>D>B; 1 B>A>E; 1 C>D>B; 1 D>A>E');
  const of = (variant: 'standard' | 'modified' | 'averaged' | 'dowdall') => {
    const result = resultOf(define('ranking', ['A', 'B', 'C', 'D', 'E'], { method: 'borda', variant }), ballots);
    t.same(result.winners, ['A']);
    return result.points.map(({ points }: { points: number }) => Number(points.toFixed(6)));
  };
  t.same(of('standard'), [10, 6, 6, 8, 7]);
  t.same(of('modified'), [9, 5, 6, 7, 6]);
  t.same(of('averaged'), [10.5, 6.5, 7, 8.5, 7.5]);
  t.same(of('dowdall'), [2, 1.533333, 1.333333, 1.75, 1.166667]);
});

t.test('Borda and Dowdall (Nauru) on the same ballots (Wikipedia, "Borda count"), and ties', async (t) => {
  const ballots = profile('51 a>c>b>d; 5 c>b>d>a; 23 b>c>d>a; 21 d>c>b>a');
  const of = (variant: 'standard' | 'dowdall') =>
    resultOf(define('ranking', ['a', 'b', 'c', 'd'], { method: 'borda', variant }), ballots);
  t.same(
    of('standard').points.map(({ points }: { points: number }) => points),
    [153, 151, 205, 91],
  );
  t.same(of('standard').winners, ['c']);
  t.same(of('dowdall').winners, ['a']);
  t.equal(of('dowdall').points[0].points, 63.25);
  const tie = profile('1 a>b; 1 b>a');
  t.match(resultOf(define('ranking', ['a', 'b'], { method: 'borda' }), tie), { winners: ['a', 'b'], tied: ['a', 'b'] });
});
