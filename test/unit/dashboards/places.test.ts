import t from 'tap';
import { MAX_EARLY, MAX_EARLY_PER_CALLER, OPERATORS_RESERVE, Places } from '../../../dashboards/sse/places.ts';

t.test('nobody takes the places of all, nor those of operators', async (t) => {
  const places = new Places({ total: 6, perCaller: 3 });
  const mine = [1, 2, 3].map(() => places.take('public', 'a'));
  t.throws(() => places.take('public', 'a'), { code: 'too-many-streams' });
  for (let i = 0; i < 3; i++) places.take('public', `b${i}`);
  t.throws(() => places.take('public', 'c'), { code: 'too-many-viewers' });
  for (let i = 0; i < OPERATORS_RESERVE; i++) places.take('operator', 'a');
  t.throws(() => places.take('operator', 'a'), { code: 'too-many-viewers' });
  for (const place of mine) places.leave(place);
  t.doesNotThrow(() => places.take('public', 'a'), 'operators take nobody’s place');
});

t.test('operators need no reserve while there is room', async (t) => {
  const places = new Places({ total: 1_000, perCaller: 10 });
  for (let i = 0; i < 1_000; i++) places.take('operator', 'a');
  t.throws(() => places.take('operator', 'a'), { code: 'too-many-viewers' });
});

t.test('those who are early wait apart from viewers, until their room has a poll', async (t) => {
  const places = new Places({ total: 2, perCaller: 2 });
  const early = Array.from({ length: MAX_EARLY_PER_CALLER }, () => places.take('early', 'a'));
  t.throws(() => places.take('early', 'a'), { code: 'no-such-room' });
  for (let i = MAX_EARLY_PER_CALLER; i < MAX_EARLY; i++) places.take('early', `b${i}`);
  t.throws(() => places.take('early', 'c'), { code: 'no-such-room' });
  for (const place of early) places.settle(place);
  t.equal(early.filter(({ kind }) => kind === 'public').length, 2, 'as many as there is room for');
  t.throws(() => places.take('public', 'd'), { code: 'too-many-viewers' });
  t.equal(places.take('early', 'c').kind, 'early', 'they made room for others');
  for (const place of early) places.leave(place);
  t.equal(places.take('public', 'd').kind, 'public');
});
