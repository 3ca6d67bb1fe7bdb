/** Published worked examples, each with its source. A method must give the published result. */
import t from 'tap';
import { counts, define, profile, resultOf } from '../../../support/kind.ts';

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

t.test(
  'STAR: the runoff decides, and ties are broken in the published way (Equal Vote Coalition; starvote)',
  async (t) => {
    const star = (text: string, keys = ['A', 'B', 'C'], settings: object = {}, lot?: string[]) =>
      resultOf(define('score', keys, { method: 'star', ...settings }), profile(text), true, lot);
    t.same(
      star('6 M:4,O:5,P:0; 3 M:5,O:1,P:2', ['M', 'O', 'P']).winners,
      ['O'],
      'the option with the highest sum does not win if it loses the runoff',
    );
    t.same(
      star('1 A:1,B:2,C:5; 1 A:1,B:5,C:3; 1 A:1,B:3,C:3').winners,
      ['C'],
      'the higher sum breaks a tie in the runoff',
    );
    const place = star('2 A:1,B:2,C:5; 1 A:5,B:3,C:5');
    t.same([place.finalists, place.winners], [['C', 'B'], ['C']], 'a tie for second place is decided head to head');
    const level = star('1 A:1,B:5,C:4; 1 A:1,B:4,C:5');
    t.match(
      level,
      { finalists: ['B', 'C'], winners: ['B', 'C'], tied: ['B', 'C'] },
      'finalists that are tied in every respect are reported as a tie',
    );
    // A, B and C beat each other in a cycle and tie for second place. D, first by its sum, loses to each of them.
    const cycle = '2 A:5,B:4,C:3,D:2; 2 A:3,B:5,C:4,D:2; 2 A:4,B:3,C:5,D:2; 5 A:0,B:0,C:0,D:5';
    const against = '6 A:5,B:4,C:3,D:2; 6 A:3,B:5,C:4,D:2; 6 A:4,B:3,C:5,D:2; 16 A:0,B:0,C:0,D:5';
    const keys = ['A', 'B', 'C', 'D'];
    t.match(star(cycle, keys), { winners: [], unresolved: ['A', 'B', 'C'], finalists: ['D'] });
    t.match(star(against, keys), { winners: [], unresolved: ['A', 'B', 'C'] });
    const drawn = star(against, keys, { tieBreak: 'lot' }, ['C', 'A', 'B', 'D']);
    t.same([drawn.finalists, drawn.winners], [['D', 'C'], ['C']]);
    t.same(
      star('1 A:5,B:1,C:0; 1 A:0,B:4,C:5; 1 A:2,B:2,C:0').winners,
      ['A'],
      'finalists with equal preferences and sums: the one with more of the highest grades wins',
    );
    const fives = star('1 A:5,B:0,C:2,D:4; 1 A:5,B:3,C:1,D:0; 1 A:5,B:0,C:0,D:4; 1 A:5,B:5,C:1,D:0', keys);
    t.same(
      [fives.finalists, fives.winners],
      [['A', 'B'], ['A']],
      'a tie for second place that head-to-head wins do not decide',
    );
    t.match(
      star('10 A:5', ['A', 'B', 'C']),
      { winners: ['A'], level: ['B', 'C'] },
      'a tie for second place does not matter if the leader beats both options',
    );
  },
);
