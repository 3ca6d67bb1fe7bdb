/** Worked examples that others published, each with its source: what these methods give must be what everybody gets. */
import t from 'tap';
import {
  frequenciesOf,
  meanOf,
  netPromoterScoreOf,
  quantileOf,
  standardDeviationOf,
  trimmedMeanOf,
} from '../../core/voting/kinds/statistics.ts';
import { define, profile, resultOf } from './kind.ts';
import { BURLINGTON, STEERING_COMMITTEE } from './profiles.ts';

/** Wikipedia, "Instant-runoff voting": where to put the capital of Tennessee. */
const TENNESSEE = '42 M>N>C>K; 26 N>C>K>M; 15 C>K>N>M; 17 K>C>N>M';

interface Counted {
  readonly key: string;
  readonly count: number;
}
const counts = (of: readonly Counted[]) => Object.fromEntries(of.map(({ key, count }) => [key, count]));
const votes = (stage: { votes: readonly { key: string; votes: string }[] }) =>
  Object.fromEntries(stage.votes.map(({ key, votes }) => [key, votes]));

t.test('instant-runoff: the capital of Tennessee (Wikipedia)', async (t) => {
  const result = resultOf(define('ranking', ['M', 'N', 'C', 'K']), profile(TENNESSEE));
  t.same(
    result.rounds.map(({ counts: of }: { counts: Counted[] }) => counts(of)),
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
  t.equal(result.rounds.at(-1).exhausted.count, 603, 'with four blank ballots the 607 of the file');
  t.same(result.winners, ['K']);
  const pairwise = resultOf(
    define('ranking', ['K', 'M', 'W', 'S', 'J', 'X'], { method: 'condorcet' }),
    profile(BURLINGTON),
  );
  t.same(pairwise.matrix[1], [4064, null, 4597, 4570, 6262, 6657]);
  t.same([pairwise.condorcetWinner, pairwise.completed], ['M', false], 'who beats everybody came third');
});

t.test('instant-runoff: ties', async (t) => {
  const tie = profile('2 a>b; 2 b>a; 1 c>a; 1 d>b');
  const of = (settings: object, lot?: string[]) =>
    resultOf(define('ranking', ['a', 'b', 'c', 'd'], settings), tie, true, lot);
  t.match(of({}), { winners: [], unresolved: ['c', 'd'] }, 'who goes is not for the program to choose');
  t.match(of({ tieBreak: 'order' }), { winners: ['a'], tied: ['a', 'b'], tieBrokenBy: 'order' });
  t.match(of({ tieBreak: 'lot' }, ['d', 'b', 'c', 'a']), { winners: ['b'], tied: ['a', 'b'], tieBrokenBy: 'lot' });
  t.same(of({ tieBreak: 'order' }).rounds[0].tied, ['c', 'd']);
  const harmless = resultOf(define('ranking', ['a', 'b', 'c', 'd']), profile('5 a; 4 b>a; 1 c>b; 1 d>b'));
  t.same(harmless.rounds[0].eliminated, ['c', 'd'], 'together they have less than the next: both go whatever happens');
  t.same(harmless.winners, ['b']);
});

t.test('single transferable vote: what to eat at the party (Wikipedia)', async (t) => {
  const ballots = profile('4 o; 2 p>o; 8 c>s; 4 c>b; 1 s; 1 b');
  const result = resultOf(define('ranking', ['o', 'p', 'c', 's', 'b'], { method: 'stv', seats: 3 }), ballots);
  t.equal(result.quota, '6');
  t.same(result.stages.map(votes), [
    { o: '4', p: '2', c: '12', s: '1', b: '1' },
    { o: '4', p: '2', c: '6', s: '5', b: '3' },
    { o: '6', p: '0', c: '6', s: '5', b: '3' },
    { o: '6', p: '0', c: '6', s: '5', b: '0' },
    { o: '6', p: '0', c: '6', s: '5', b: '0' },
  ]);
  t.same(result.winners, ['c', 'o', 's']);
});

t.test(
  'single transferable vote: weighted inclusive Gregory (Li, "A conceptual primer …", part 5, 2022)',
  async (t) => {
    const ballots = profile(`
    21 D1>D2>F>C1>C2; 19 D2>D1>F>C1>C2; 40 C1>C2>F>D1>D2; 6 C2>C1>F>D1>D2
    7 F>D1>D2>C1>C2; 6 F>D1>C1>C2>D2; 1 F>D1`);
    const keys = ['D1', 'D2', 'C1', 'C2', 'F'];
    const result = resultOf(define('ranking', keys, { method: 'stv', seats: 3 }), ballots);
    t.equal(result.quota, '26');
    t.same(result.stages.map(votes), [
      { D1: '21', D2: '19', C1: '40', C2: '6', F: '14' },
      { D1: '21', D2: '19', C1: '26', C2: '20', F: '14' },
      { D1: '35', D2: '19', C1: '26', C2: '20', F: '0' },
      { D1: '26', D2: '26.19992', C1: '26', C2: '21.54284', F: '0' },
    ]);
    t.equal(result.stages.at(-1).nonTransferable, '0.25724');
    t.same(result.winners, ['C1', 'D1', 'D2']);
  },
);

t.test('single transferable vote: fractions are cut off (OpaVote)', async (t) => {
  const ballots = profile('28 A>B>C; 26 B>A>C; 3 C; 2 D; 1 E');
  const result = resultOf(define('ranking', ['A', 'B', 'C', 'D', 'E'], { method: 'stv', seats: 3 }), ballots);
  t.same(
    result.stages.slice(0, 3).map((stage: Parameters<typeof votes>[0]) => votes(stage).C),
    ['3', '14.99996', '24.99982'],
  );
  t.same(result.winners, ['A', 'B', 'C']);
});

t.test(
  'single transferable vote: a real count to five places (Green Party 2005, by Droop’s Scottish rules)',
  async (t) => {
    const keys = Array.from({ length: 13 }, (_, i) => `c${i + 1}`);
    const settings = { method: 'stv', seats: 4, tieBreak: 'order' } as const;
    const result = resultOf(define('ranking', keys, settings), profile(STEERING_COMMITTEE));
    t.equal(result.quota, '19');
    const after = (what: string, of: string) =>
      votes(result.stages.find((stage: { what: string; of: string }) => stage.what === what && stage.of === of));
    t.match(after('surplus', 'c7'), {
      c1: '6.84848',
      c2: '3.42424',
      c3: '8.42424',
      c4: '22',
      c7: '19',
      c8: '12.45448',
    });
    t.match(after('surplus', 'c4'), {
      c1: '7.803',
      c2: '3.5606',
      c3: '9.2424',
      c5: '2.69696',
      c8: '12.7272',
      c13: '18.54544',
    });
    t.match(after('exclusion', 'c5'), { c1: '8.803', c2: '3.69696', c8: '14.57568', c13: '19.6818' });
    t.match(after('surplus', 'c13'), { c1: '9.01084', c2: '3.9536', c3: '9.45496', c8: '14.57568', c13: '19' });
    t.match(after('exclusion', 'c2'), { c1: '9.36448', c3: '10.59132', c8: '15.61032' });
    t.match(after('exclusion', 'c1'), { c3: '16.62204', c8: '16.59988' });
    t.same(result.winners, ['c7', 'c4', 'c13', 'c3'], 'Rotzler, LaMarche, Kramer, Sevigny');
  },
);

t.test('single transferable vote: ties (Droop, weak-surplus.blt)', async (t) => {
  const ballots = profile('10 A>C; 8 B; 6 C; 5 D; 3 E>D; 3 F>D');
  const keys = ['A', 'B', 'C', 'D', 'E', 'F'];
  const of = (settings: object, lot?: string[]) =>
    resultOf(define('ranking', keys, { method: 'stv', seats: 4, ...settings }), ballots, true, lot);
  t.match(of({}), { winners: ['A', 'B', 'C'], unresolved: ['E', 'F'] });
  const level = resultOf(define('ranking', ['a', 'b', 'c', 'd', 'e'], { method: 'stv' }), profile('5 a; 4 b; 2 e>b'));
  t.match(level, { winners: ['b'] }, 'options that nobody ranks first go together: that decides nothing');
  t.same(level.stages[1].excluded, ['c', 'd']);
  t.same(of({ tieBreak: 'order' }).winners, ['A', 'B', 'C', 'D']);
  const drawn = of({ tieBreak: 'lot' }, ['E', 'F', 'A', 'B', 'C', 'D']);
  t.same(drawn.winners, ['A', 'B', 'C', 'D'], 'whoever goes, D gets there');
  t.same(drawn.stages.find(({ what }: { what: string }) => what === 'exclusion').excluded, ['F'], 'the lot favours E');
});

t.test('ranked pairs: Schulze’s 45 voters, where Schulze’s method and Tideman’s differ', async (t) => {
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
});

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
  t.same(of('irv').winners, ['A'], 'the methods differ: it must be said beforehand which one counts');
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
  t.same(of({ tieBreak: 'lot' }, ['C', 'A', 'B', 'D']).winners, ['C'], 'the lot takes C over B first');
  const short = profile('68 A>B; 72 B>C; 52 C>A');
  t.same(resultOf(define('ranking', ['A', 'B', 'C'], { method: 'condorcet' }), short).winners, ['B']);
  const level = resultOf(
    define('ranking', ['A', 'B', 'C'], { method: 'condorcet' }),
    profile('1 A>B>C; 1 B>C>A; 1 C>A>B'),
  );
  t.same(level.winners, ['A', 'B', 'C'], 'a perfect cycle is a tie');
});

t.test('Borda: four short ballots by every variant (votesys; Emerson 2013)', async (t) => {
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

t.test('Borda and Dowdall (Nauru) on the same ballots (Wikipedia, "Borda count"); ties', async (t) => {
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

t.test('STAR: the capital of Tennessee (Wikipedia, "STAR voting")', async (t) => {
  const ballots = profile('42 M:5,N:2,C:1,K:0; 26 M:0,N:5,C:2,K:1; 15 M:0,N:3,C:5,K:4; 17 M:0,N:2,C:4,K:5');
  const result = resultOf(define('score', ['M', 'N', 'C', 'K'], { method: 'star' }), ballots);
  t.same(counts(result.options), { M: 210, N: 293, C: 237, K: 171 });
  t.same(result.finalists, ['N', 'C']);
  t.same(
    result.runoff.map(({ preferredBy }: { preferredBy: number }) => preferredBy),
    [68, 32],
  );
  t.same(result.winners, ['N']);
  t.same(resultOf(define('score', ['M', 'N', 'C', 'K']), ballots).winners, ['N']);
});

t.test('STAR: the runoff decides, and how ties are broken (Equal Vote Coalition; starvote)', async (t) => {
  const star = (text: string, keys = ['A', 'B', 'C'], settings: object = {}, lot?: string[]) =>
    resultOf(define('score', keys, { method: 'star', ...settings }), profile(text), true, lot);
  t.same(star('6 M:4,O:5,P:0; 3 M:5,O:1,P:2', ['M', 'O', 'P']).winners, ['O'], 'not the one with the highest sum');
  t.same(star('1 A:1,B:2,C:5; 1 A:1,B:5,C:3; 1 A:1,B:3,C:3').winners, ['C'], 'a tie in the runoff: the higher sum');
  const place = star('2 A:1,B:2,C:5; 1 A:5,B:3,C:5');
  t.same([place.finalists, place.winners], [['C', 'B'], ['C']], 'a tie for the second place: head to head');
  const level = star('1 A:1,B:5,C:4; 1 A:1,B:4,C:5');
  t.match(level, { finalists: ['B', 'C'], winners: ['B', 'C'], tied: ['B', 'C'] }, 'level in everything');
  // Three rivals in a circle are level for the second place; D, first by its sum, loses to each of them.
  const circle = '2 A:5,B:4,C:3,D:2; 2 A:3,B:5,C:4,D:2; 2 A:4,B:3,C:5,D:2; 5 A:0,B:0,C:0,D:5';
  const against = '6 A:5,B:4,C:3,D:2; 6 A:3,B:5,C:4,D:2; 6 A:4,B:3,C:5,D:2; 16 A:0,B:0,C:0,D:5';
  const keys = ['A', 'B', 'C', 'D'];
  t.match(star(circle, keys), { winners: [], unresolved: ['A', 'B', 'C'], finalists: ['D'] });
  t.match(star(against, keys), { winners: [], unresolved: ['A', 'B', 'C'] });
  const drawn = star(against, keys, { tieBreak: 'lot' }, ['C', 'A', 'B', 'D']);
  t.same([drawn.finalists, drawn.winners], [['D', 'C'], ['C']]);
  t.match(star('10 A:5', ['A', 'B', 'C']), { winners: ['A'], level: ['B', 'C'] }, 'who comes second does not matter');
});

t.test('statistics: quantiles of type 7, trimmed means, deviations, NPS', async (t) => {
  const of = (...values: number[]) => frequenciesOf(values.map((value) => [value, 1]));
  // Hyndman & Fan (1996), type 7; figures of R and NumPy's documentation, and Wikipedia's "Percentile" (C = 1).
  t.equal(quantileOf(of(15, 20, 35, 40, 50), 0.4), 29);
  t.same(
    [0.1, 0.25, 0.5, 0.75].map((p) => quantileOf(of(20, 2, 7, 1, 34), p)),
    [1.4, 2, 7, 20],
  );
  t.equal(quantileOf(of(2, 3, 4, 5), 0.15)?.toFixed(9), '2.450000000');
  t.equal(quantileOf(of(), 0.5), null);
  // Wikipedia, "Truncated mean".
  const data = of(92, 19, 101, 58, 1053, 91, 26, 78, 10, 13, -40, 101, 86, 85, 15, 89, 89, 28, -5, 41);
  t.equal(meanOf(data), 101.5);
  t.equal(trimmedMeanOf(data, 0.05), 56.5);
  // Wikipedia, "Standard deviation": 2 for the population, and so 2.138… for a sample.
  t.equal(standardDeviationOf(of(2, 4, 4, 4, 5, 5, 7, 9))?.toFixed(9), '2.138089935');
  t.equal(standardDeviationOf(of(3)), null);
  // Reichheld (2003): promoters less detractors, in percent.
  t.equal(
    netPromoterScoreOf([
      [10, 100],
      [7, 30],
      [3, 80],
    ])?.toFixed(4),
    '9.5238',
  );
  t.equal(netPromoterScoreOf(of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10))?.toFixed(4), '-45.4545');
  t.equal(netPromoterScoreOf(of(9, 6)), 0, 'level: as many promoters as detractors');
});
