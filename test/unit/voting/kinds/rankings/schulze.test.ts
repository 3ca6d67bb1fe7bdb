/** Published worked examples, each with its source. A method must give the published result. */
import t from 'tap';
import { define, profile, resultOf } from '../../../../support/kind.ts';

const schulze = (keys: string, ballots: string, settings: object = {}, lot?: string[]) => {
  const ranked = new Map([...profile(ballots)].map(([choice, times]) => [[...choice].join('>'), times]));
  const definition = define('ranking', [...keys], { method: 'condorcet', completion: 'schulze', ...settings });
  return resultOf(definition, ranked, true, lot);
};

t.test('Schulze: the example with 45 voters (Schulze 2011, example 1; Wikipedia, "Schulze method")', async (t) => {
  const result = schulze('ABCDE', '5 ACBED; 5 ADECB; 8 BEDAC; 3 CABED; 7 CAEBD; 2 CBADE; 7 DCEBA; 8 EBADC');
  t.same(result.paths, [
    [null, 28, 28, 30, 24],
    [25, null, 28, 33, 24],
    [25, 29, null, 29, 24],
    [25, 28, 28, null, 24],
    [25, 28, 28, 31, null],
  ]);
  t.match(result, { condorcetWinner: null, completion: 'schulze', winners: ['E'] });
});

t.test('Schulze: several potential winners (Schulze 2011, example 3)', async (t) => {
  const ballots = '3 ABCD; 2 DABC; 2 DBCA; 2 CBDA';
  const result = schulze('ABCD', ballots);
  t.same(result.winners, ['B', 'D'], 'the order between B and D is not decided');
  t.same(result.tied, ['B', 'D']);
  t.match(schulze('ABCD', ballots, { tieBreak: 'lot' }, ['D', 'C', 'B', 'A']), { winners: ['D'], tieBrokenBy: 'lot' });
});

t.test('options that share a rank are not compared with each other', async (t) => {
  const result = resultOf(define('ranking', ['a', 'b', 'c'], { method: 'condorcet' }), profile('2 a=b>c; 1 c>b'));
  t.same(result.matrix, [
    [null, 0, 2],
    [1, null, 2],
    [1, 1, null],
  ]);
  t.same(result.winners, ['b']);
  const borda = resultOf(define('ranking', ['a', 'b', 'c'], { method: 'borda' }), profile('2 a=b>c; 1 c>b'));
  t.same(
    borda.points.map(({ points }: { points: number }) => points),
    [3, 4, 2],
    'a and b share the 2 and 1 points of the first two places',
  );
});
