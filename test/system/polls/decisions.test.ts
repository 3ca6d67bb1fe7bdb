import t from 'tap';
import { verifyBundle } from '../../../core/audit/bundle.ts';
import { stage } from '../../support/stage.ts';
import { finalOf, resultOf, step, votes } from './chair.ts';

async function* each(lines: readonly string[]) {
  yield* lines;
}

t.test('a lot that was drawn decides a tie, and is part of the record, the audit bundle and the recount', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { kind: 'ranking', visibility: 'live' });
  const enter = (...order: string[]) => s.call('POST', '/api/polls/q/draws', { operator: true, body: { order } });
  for (const [device, choice] of Object.entries({ d1: 'a>b', d2: 'b>a', d3: 'c>b' }))
    await votes(s, device, 'q', choice);
  await s.resultAfter('q', 3);
  t.match((await enter('a', 'b', 'c')).body, { type: 'urn:pollcast:not-final' });
  await step(s, 'q', 'close');
  t.match(await finalOf(s, 'q'), { winners: [], unresolved: ['a', 'b', 'c'] });
  const watcher = await s.device('watcher');
  await watcher.subscribe('result/q');
  t.match(JSON.parse(await watcher.next('result/q')), { unresolved: ['a', 'b', 'c'] });

  t.equal((await s.call('POST', '/api/polls/q/draws', { body: { order: ['a', 'b', 'c'] } })).status, 401);
  for (const order of [['a', 'b'], ['a', 'b', 'b'], ['a', 'b', 'x'], []]) {
    const { status, body } = await enter(...order);
    t.equal(status, 400);
    t.match(body.detail ?? body.title, /the lot must be drawn between a, b, c: list each of them once/);
  }
  t.equal((await enter('b', 'a', 'c')).status, 201);
  const decided = await resultOf(s, 'q');
  t.match(decided, { winners: ['b'], tied: ['a', 'b', 'c'], tieBrokenBy: 'lot', draws: [{ order: ['b', 'a', 'c'] }] });
  t.notOk(decided.unresolved);
  t.match(
    JSON.parse(await watcher.next('result/q')),
    { winners: ['b'], tieBrokenBy: 'lot' },
    'devices get the new result',
  );
  t.match((await enter('b', 'a', 'c')).body, { type: 'urn:pollcast:nothing-to-draw' });

  const { body: bundle } = await s.call('GET', '/api/polls/q/audit', { operator: true });
  const report = await verifyBundle(each(bundle.trim().split('\n')));
  t.same(report.problems, []);
  t.match(report.outcome?.figures, { winners: ['b'], tieBrokenBy: 'lot' });
  const { body: recount } = await s.call('POST', '/api/polls/q/recount', { operator: true });
  t.match(recount, { agrees: true, differences: [] });

  await step(s, 'q', 'continue');
  await step(s, 'q', 'close');
  t.match(await finalOf(s, 'q'), { winners: [], unresolved: ['a', 'b', 'c'] }, 'a lot does not outlive a continuation');
  t.equal((await enter('b', 'a', 'c')).status, 201);
  const { body: longer } = await s.call('GET', '/api/polls/q/audit', { operator: true });
  t.same((await verifyBundle(each(longer.trim().split('\n')))).problems, []);

  await step(s, 'q', 'reopen');
  await votes(s, 'd1', 'q', 'a');
  await s.resultAfter('q', 1);
  t.notOk((await resultOf(s, 'q')).draws, 'the next round starts without a lot');
  const first = (await s.call('GET', '/api/polls/q/result?round=1', { operator: true })).body;
  t.match(first, { winners: ['b'], draws: [{ order: ['b', 'a', 'c'] }] });
});

t.test('an option can be withdrawn after voting', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { kind: 'ranking' });
  const withdraw = (option: string) => s.call('POST', '/api/polls/q/withdrawals', { operator: true, body: { option } });
  for (const [device, choice] of Object.entries({ d1: 'a>b', d2: 'a>b', d3: 'a>b', d4: 'c', d5: 'c' })) {
    await votes(s, device, 'q', choice);
  }
  await s.resultAfter('q', 5);
  t.match((await withdraw('a')).body, { type: 'urn:pollcast:not-final' });
  await step(s, 'q', 'close');
  t.match(await finalOf(s, 'q'), { winners: ['a'] });
  t.match(await withdraw('x'), { status: 404, body: { type: 'urn:pollcast:no-such-option' } });
  t.equal((await withdraw('a')).status, 201);
  t.match(await withdraw('a'), { status: 409, body: { type: 'urn:pollcast:already-withdrawn' } });
  t.match(await resultOf(s, 'q'), {
    winners: ['b'],
    options: [{ key: 'a', count: 3 }, { count: 0 }, { count: 2 }],
    withdrawals: [{ option: 'a' }],
  });
  const { body: recount } = await s.call('POST', '/api/polls/q/recount', { operator: true });
  t.match(recount, { agrees: true, differences: [] });
  const { body: bundle } = await s.call('GET', '/api/polls/q/audit', { operator: true });
  t.same((await verifyBundle(each(bundle.trim().split('\n')))).problems, []);
});
