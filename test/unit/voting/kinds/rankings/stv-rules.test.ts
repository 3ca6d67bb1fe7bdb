/** Published counts by rules other than the Scottish ones. A method must give the published result. */
import t from 'tap';
import { define, profile, resultOf } from '../../../../support/kind.ts';
import { STEERING_COMMITTEE } from './profiles.ts';

const KEYS = Array.from({ length: 13 }, (_, i) => `c${i + 1}`);
const last = ({ stages }: { stages: { votes: { key: string; votes: string }[] }[] }) =>
  Object.fromEntries(stages.at(-1)?.votes.map(({ key, votes }) => [key, votes]) ?? []);

const count = (settings: object) =>
  resultOf(
    define('ranking', KEYS, { method: 'stv', seats: 4, tieBreak: 'order', ...settings }),
    profile(STEERING_COMMITTEE),
  );

t.test(
  'Meek: a real count to nine decimal places (Green Party 2005, Reference Meek Rule, by the program Droop)',
  async (t) => {
    const result = count({ rules: 'meek' });
    t.match(last(result), { c4: '19.087429756', c7: '19.073682122', c8: '19.085721549', c13: '19.20243809' });
    t.equal(result.quota, '18.586296861');
    t.same(
      result.winners.toSorted(),
      ['c13', 'c4', 'c7', 'c8'],
      'Olsen instead of Sevigny, whom the Scottish rules elect',
    );
    const elected = result.stages.find(({ elected }: { elected: string[] }) => elected.includes('c13'));
    t.match(Object.fromEntries(elected.votes.map(({ key, votes }: { key: string; votes: string }) => [key, votes])), {
      c4: '19.16521377',
      c7: '18.800000299',
      c13: '19.718851196',
    });
  },
);

t.test(
  'WIGM: a real count to four decimal places (Green Party 2005, Reference WIGM Rule, by the program Droop)',
  async (t) => {
    const result = count({ rules: 'wigm' });
    t.match(last(result), { c3: '18.9089', c4: '18.8001', c7: '18.8001', c13: '18.8001' });
    t.equal(result.quota, '18.8001');
    t.same(result.winners.toSorted(), ['c13', 'c3', 'c4', 'c7']);
  },
);

t.test('WIGM: decimal places and the Hare quota', async (t) => {
  t.equal(count({ rules: 'wigm', decimals: 0 }).quota, '19');
  t.equal(count({ rules: 'wigm', decimals: 6 }).quota, '18.800001');
  t.equal(count({ rules: 'wigm', quota: 'hare' }).quota, '23.5', '94 ballots for 4 seats');
  const ballots = profile('6 a>b; 2 c; 1 b');
  const of = (quota: 'droop' | 'hare') =>
    resultOf(define('ranking', ['a', 'b', 'c', 'd'], { method: 'stv', seats: 2, rules: 'wigm', quota }), ballots);
  t.same(of('droop').winners, ['a', 'b'], 'the surplus of a is 2.9999 votes');
  t.same(of('hare').winners, ['a', 'b']);
  t.throws(
    () => define('ranking', ['a', 'b'], { method: 'stv', quota: 'hare' }),
    /quota: only allowed with rules wigm/,
  );
});

t.test(
  'Meek: preferences for options that are already elected count (Hill, "Meek or Warren counting", 1987)',
  async (t) => {
    const keys = ['a', 'b', 'c', 'd'];
    const of = (rules: 'meek' | 'scottish') =>
      resultOf(
        define('ranking', keys, { method: 'stv', seats: 2, rules, tieBreak: 'order' }),
        profile('20 a>b>c; 8 b>a>d; 7 c; 9 d'),
      );
    t.same(of('meek').winners, ['a', 'b']);
    const [first, second] = of('meek').stages;
    t.match([first.what, second.elected], ['first preferences', ['a']]);
    t.ok(Number(of('meek').quota) <= Number(first.quota), 'the quota falls as ballots are exhausted');
  },
);
