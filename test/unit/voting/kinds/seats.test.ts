/** Several winners: the seats of multiple-choice and points polls. */
import t from 'tap';
import { define, parse, profile, resultOf, resultWith } from '../../../support/kind.ts';

const KEYS = ['a', 'b', 'c', 'd'];

t.test('the options with the most ballots win the seats', async (t) => {
  const of = (ballots: string, settings: object = {}) =>
    resultOf(define('multiple', KEYS, { seats: 2, ...settings }), profile(ballots));
  t.match(of('3 a,b; 2 b,c; 1 d'), { winners: ['b', 'a'], seats: 2 });
  t.match(of('3 a; 2 b; 2 c'), { winners: ['a'], unresolved: ['b', 'c'] }, 'the tie is for the last seat');
  t.match(of('3 a; 2 b; 2 c', { tieBreak: 'order' }), { winners: ['a', 'b'], tied: ['b', 'c'], tieBrokenBy: 'order' });
  t.match(of('2 a; 2 b; 2 c'), { winners: [], unresolved: ['a', 'b', 'c'] });
  t.same(of('2 a; 2 b; 1 c').winners, ['a', 'b'], 'a tie within the seats does not matter');
  t.same(of('5 a').winners, ['a'], 'an option without ballots wins no seat');
  const definition = define('multiple', KEYS, { seats: 2 });
  const drawn = resultWith(definition, profile('3 a; 2 b; 2 c'), { draws: [{ order: ['c', 'b'], atMs: 1 }] });
  t.match(drawn, { winners: ['a', 'c'], tied: ['b', 'c'], tieBrokenBy: 'lot' });
  t.throws(
    () => define('multiple', KEYS, { seats: 4 }),
    /seats: must be at least 1 and fewer than the 4 options, not 4/,
  );
});

t.test('each winner may need a majority of the ballots', async (t) => {
  const of = (ballots: string, settings: object = {}) =>
    resultOf(define('multiple', KEYS, { seats: 2, candidateMajority: '> 1/2', ...settings }), profile(ballots));
  t.match(of('3 a,b; 2 a,c; 1 b'), { winners: ['a', 'b'], reached: ['a', 'b'] });
  t.match(of('3 a; 3 b,c'), { winners: [], reached: [] }, 'exactly half is not more than half');
  t.match(of('3 a; 2 b; 2 none', { none: true }), { winners: ['a'], reached: ['a'] }, '3 of 5 valid ballots');
  t.throws(
    () => define('multiple', KEYS, { candidateMajority: 'half' }),
    /candidateMajority: must be an exact fraction/,
  );
});

t.test('cumulative voting: points are limited for each option', async (t) => {
  const definition = define('points', KEYS, { budget: 3, max: 2, seats: 2 });
  t.equal(parse(definition, 'a:2,b:1'), 'a:2,b:1');
  t.equal(parse(definition, 'a:3'), 'out-of-range');
  t.match(resultOf(definition, profile('2 a:2,b:1; 1 c:2')), { winners: ['a'], unresolved: ['b', 'c'] });
  t.throws(() => define('points', KEYS, { budget: 3, max: 4 }), /max: must be from 1 to the budget \(3\), not 4/);
  t.throws(
    () => define('points', KEYS, { budget: 9, max: 2, spend: 'all' }),
    /4 options with at most 2 points each cannot use up the budget \(9\)/,
  );
});
