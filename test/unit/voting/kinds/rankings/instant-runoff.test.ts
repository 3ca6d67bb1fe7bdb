/** Published worked examples, each with its source. A method must give the published result. */
import t from 'tap';
import { counts, define, profile, resultOf } from '../../../../support/kind.ts';
import { BURLINGTON } from './profiles.ts';

/** Wikipedia, "Instant-runoff voting": where to put the capital of Tennessee. */
const TENNESSEE = '42 M>N>C>K; 26 N>C>K>M; 15 C>K>N>M; 17 K>C>N>M';

t.test('instant-runoff: the capital of Tennessee (Wikipedia)', async (t) => {
  const result = resultOf(define('ranking', ['M', 'N', 'C', 'K']), profile(TENNESSEE));
  t.same(
    result.rounds.map(({ counts: of }: { counts: Parameters<typeof counts>[0] }) => counts(of)),
    [
      { M: 42, N: 26, C: 15, K: 17 },
      { M: 42, N: 26, K: 32 },
      { M: 42, K: 58 },
    ],
  );
  t.same(
    result.rounds.map(({ eliminated }: { eliminated: string[] }) => eliminated),
    [['C'], ['N'], []],
  );
  t.same(result.winners, ['K']);
});

t.test('instant-runoff: mayor of Burlington 2009 (the city’s ballots, ranked.vote)', async (t) => {
  const result = resultOf(define('ranking', ['W', 'K', 'M', 'S', 'X', 'J']), profile(BURLINGTON));
  const of = (round: number) => counts(result.rounds[round].counts);
  t.same(of(0), { W: 2951, K: 2585, M: 2063, S: 1306, X: 36, J: 35 });
  t.same(result.rounds.at(-2).counts.length, 3);
  t.same(counts(result.rounds.at(-2).counts), { W: 3294, K: 2981, M: 2554 });
  t.same(counts(result.rounds.at(-1).counts), { W: 4060, K: 4313 });
  t.equal(result.rounds.at(-1).exhausted.count, 603, 'the file states 607, which includes the four blank ballots');
  t.same(result.winners, ['K']);
  const pairwise = resultOf(
    define('ranking', ['K', 'M', 'W', 'S', 'J', 'X'], { method: 'condorcet' }),
    profile(BURLINGTON),
  );
  t.same(pairwise.matrix[1], [4064, null, 4597, 4570, 6262, 6657]);
  t.same([pairwise.condorcetWinner, pairwise.completed], ['M', false], 'the Condorcet winner came third');
});

t.test('instant-runoff: ties are reported, and broken if the poll says how', async (t) => {
  const tie = profile('2 a>b; 2 b>a; 1 c>a; 1 d>b');
  const of = (settings: object, lot?: string[]) =>
    resultOf(define('ranking', ['a', 'b', 'c', 'd'], settings), tie, true, lot);
  t.match(
    of({}),
    { winners: [], unresolved: ['c', 'd'] },
    'without a tie-break rule, it is left open which option is eliminated',
  );
  t.match(of({ tieBreak: 'order' }), { winners: ['b'], tied: ['c', 'd'], tieBrokenBy: 'order' });
  t.match(of({ tieBreak: 'lot' }, ['d', 'b', 'c', 'a']), { winners: ['a'], tied: ['c', 'd'], tieBrokenBy: 'lot' });
  t.match(
    of({ tieBreak: 'order' }).rounds,
    [
      { eliminated: ['d'], tied: ['c', 'd'], tieBrokenBy: 'order' },
      { eliminated: ['c'] },
      { eliminated: ['a'], tied: ['a', 'b'], tieBrokenBy: 'earlier rounds' },
      { eliminated: [] },
    ],
    'in the third round, a and b are level, and b was ahead in the second',
  );
  const harmless = resultOf(define('ranking', ['a', 'b', 'c', 'd']), profile('5 a; 4 b>a; 1 c>b; 1 d>b'));
  t.same(
    harmless.rounds[0].eliminated,
    ['c', 'd'],
    'c and d together have fewer votes than the next option, so both are eliminated in any case',
  );
  t.same(harmless.winners, ['b']);
});
