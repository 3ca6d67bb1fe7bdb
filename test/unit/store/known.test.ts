import t from 'tap';
import { type Offset, START } from '../../../core/store/offset.ts';
import { KnownLog, type Survey } from '../../../core/store/redis/guard/known.ts';

const survey = (newest: Offset, more: Partial<Survey> = {}): Survey => ({
  ...{ mark: 'm', exists: true, last: newest, newest, added: 3, hasSettled: true, hasRecent: true, counted: START },
  ...more,
});

t.test('an entry that no survey has found is surveyed although newer ones were noted', async (t) => {
  const known = new KnownLog();
  for (const offset of ['1-0', '2-0', '3-0']) known.note(offset);
  t.same(known.expect(0), { settled: '', recent: ['1-0', '3-0'] });
  // That survey fails. The next one must not forget what it was about.
  known.note('4-0');
  const { recent } = known.expect(1_000);
  t.ok(recent.includes('1-0') && recent.includes('4-0'));
  known.note('5-0');
  known.learn(survey('4-0'), true);
  t.notOk(known.expect(2_000).recent.includes('1-0'), 'what was found need not be found again');
  known.learn(survey('5-0'), true);
  t.same(known.recent, '5-0');
});

t.test('an entry settles only if surveys have found it for long enough', async (t) => {
  const known = new KnownLog();
  known.note('1-0');
  known.expect(0);
  // No survey succeeds for a long time.
  t.match(known.expect(60_000), { settled: '', recent: ['1-0'] });
  t.equal(known.judge(survey('0-1', { hasRecent: false })), 'shortened', 'a loss, not a store that is gone');
  known.reset(survey('0-1'), true);
  t.same(known.expect(61_000), { settled: '', recent: ['0-1'] });
  known.learn(survey('0-1'), true);
  known.expect(80_000);
  known.learn(survey('0-1'), true);
  t.equal(known.expect(81_000).settled, '0-1');
});
