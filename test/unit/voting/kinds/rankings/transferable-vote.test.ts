/** Published worked examples, each with its source. A method must give the published result. */
import t from 'tap';
import { define, profile, resultOf } from '../../../../support/kind.ts';
import { STEERING_COMMITTEE } from './profiles.ts';

const votes = (stage: { votes: readonly { key: string; votes: string }[] }) =>
  Object.fromEntries(stage.votes.map(({ key, votes }) => [key, votes]));

t.test('single transferable vote: food for a party (Wikipedia)', async (t) => {
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

t.test('single transferable vote: fractions are truncated (OpaVote)', async (t) => {
  const ballots = profile('28 A>B>C; 26 B>A>C; 3 C; 2 D; 1 E');
  const result = resultOf(define('ranking', ['A', 'B', 'C', 'D', 'E'], { method: 'stv', seats: 3 }), ballots);
  t.same(
    result.stages.slice(0, 3).map((stage: Parameters<typeof votes>[0]) => votes(stage).C),
    ['3', '14.99996', '24.99982'],
  );
  t.same(result.winners, ['A', 'B', 'C']);
});

t.test(
  'single transferable vote: a real count to five decimal places (Green Party 2005, Scottish rules, by the program Droop)',
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

t.test(
  'single transferable vote: ties are reported, and broken if the poll says how (Droop, weak-surplus.blt)',
  async (t) => {
    const ballots = profile('10 A>C; 8 B; 6 C; 5 D; 3 E>D; 3 F>D');
    const keys = ['A', 'B', 'C', 'D', 'E', 'F'];
    const of = (settings: object, lot?: string[]) =>
      resultOf(define('ranking', keys, { method: 'stv', seats: 4, ...settings }), ballots, true, lot);
    const open = of({});
    t.same(open.winners, ['A', 'B', 'C', 'D'], 'D is elected whether E or F is excluded');
    t.notOk(open.unresolved);
    const level = resultOf(define('ranking', ['a', 'b', 'c', 'd', 'e'], { method: 'stv' }), profile('5 a; 4 b; 2 e>b'));
    t.match(
      level,
      { winners: ['b'] },
      'options that nobody ranks first are excluded together, which does not affect who is elected',
    );
    t.same(level.stages[1].excluded, ['c', 'd']);
    t.same(of({ tieBreak: 'order' }).winners, ['A', 'B', 'C', 'D']);
    const drawn = of({ tieBreak: 'lot' }, ['E', 'F', 'A', 'B', 'C', 'D']);
    t.same(drawn.winners, ['A', 'B', 'C', 'D'], 'D is elected whether E or F is excluded');
    t.same(
      drawn.stages.find(({ what }: { what: string }) => what === 'exclusion').excluded,
      ['F'],
      'the lot favours E',
    );
  },
);
