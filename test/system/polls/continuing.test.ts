import t from 'tap';
import { verifyBundle } from '../../../core/audit/bundle.ts';
import { interrupted } from '../../../core/rounds/record.ts';
import { eventually } from '../../support/eventually.ts';
import { stage } from '../../support/stage.ts';
import { watch } from '../dashboards/viewer.ts';
import { DOOR, finalOf, register, resultOf, step, votes } from './chair.ts';

async function* each(lines: readonly string[]) {
  yield* lines;
}

t.test('continue: the same round goes on, with its votes, and every account of it says so', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { revote: 'first' });
  t.equal((await step(s, 'q', 'continue')).status, 409, 'an open poll cannot be continued');
  await votes(s, 'd1', 'q', 'a');
  await s.resultAfter('q', 1);
  await step(s, 'q', 'close');
  const first = await eventually('the recount', async () => {
    const result = await finalOf(s, 'q');
    return result.recount ? result : undefined;
  });
  t.match(first, { ballots: 1, recount: { agrees: true } });
  t.equal(first.interruptions, undefined);
  await votes(s, 'd2', 'q', 'b');
  await s.resultAfter('q', 2);

  const { status, body } = await step(s, 'q', 'continue');
  t.equal(status, 200);
  t.match(body, { status: 'open', round: 1, closedAt: null, interruptions: [{ closedAt: /Z$/, continuedAt: /Z$/ }] });
  const going = await resultOf(s, 'q');
  t.match(going, { status: 'open', round: 1, final: false, ballots: 1 }, 'the count that was shown goes on');
  t.equal(going.recount, undefined, 'the recount of the first close is out of date');
  await votes(s, 'd1', 'q', 'c');
  await votes(s, 'd3', 'q', 'b');
  await s.resultAfter('q', 4);
  await step(s, 'q', 'close');
  const last = await eventually('the second recount', async () => {
    const result = await finalOf(s, 'q');
    return result.recount ? result : undefined;
  });
  t.match(last, {
    ballots: 2,
    accounting: { received: 4, counted: 2, rejected: { closed: 1, 'already-voted': 1 } },
    interruptions: [{ closedAt: /Z$/, continuedAt: /Z$/ }],
    recount: { agrees: true },
  });
  t.match((await s.call('POST', '/api/polls/q/recount', { operator: true })).body, {
    agrees: true,
    differences: [],
    tally: { a: 1, b: 1 },
    interruptions: last.interruptions,
  });

  const lines: string[] = (await s.call('GET', '/api/polls/q/audit', { operator: true })).body.trim().split('\n');
  const report = await verifyBundle(each(lines));
  t.same(report.problems, []);
  t.match(report.outcome, { accounting: last.accounting, interruptions: last.interruptions });

  await step(s, 'q', 'reopen');
  t.match(await resultOf(s, 'q'), { round: 2, ballots: 0 });
  t.equal((await resultOf(s, 'q')).interruptions, undefined, 'a new round has no interruptions');
  const earlier = (await s.call('GET', '/api/polls/q/result?round=1', { operator: true })).body;
  t.match(earlier, { final: true, ballots: 2, interruptions: last.interruptions });
});

t.test('continue: a secret poll is refused, and so is a room in which another poll is open', async (t) => {
  const s = await stage(t);
  await s.openPoll('secret', { secrecy: 'secret', visibility: 'closed' });
  await step(s, 'secret', 'close');
  const refused = await step(s, 'secret', 'continue');
  t.match(refused, { status: 409, body: { type: 'urn:pollcast:key-destroyed', detail: /secret.*vote a second time/ } });
  t.match((await resultOf(s, 'secret')).status, 'closed');

  await s.openPoll('one', { room: 'hall', durationMs: 3_600_000 });
  await votes(s, 'd', 'one', 'a');
  await s.resultAfter('one', 1);
  await step(s, 'one', 'close');
  await finalOf(s, 'one');
  const before = (await s.call('GET', '/api/polls/one', { operator: true })).body;
  await s.openPoll('two', { room: 'hall' });
  t.match(await step(s, 'one', 'continue'), { status: 409, body: { type: 'urn:pollcast:room-taken' } });
  const { recount: _, ...after } = (await s.call('GET', '/api/polls/one', { operator: true })).body;
  t.same(after, before, 'the poll is as it was');
  t.equal((await resultOf(s, 'one')).final, true);
  await step(s, 'two', 'close');
  t.equal((await step(s, 'one', 'continue')).status, 200);
  await step(s, 'one', 'close');
  t.equal((await s.call('GET', '/api/rooms/hall')).body.poll, 'one', 'the poll that was continued last is current');
});

t.test('continue: topics, streams and pages see the round go on, and hidden figures are hidden again', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { visibility: 'closed', room: 'hall' });
  const device = await s.device('d');
  await device.subscribe('poll/q', 1);
  await device.subscribe('room/hall', 1);
  await device.subscribe('result/q');
  const statuses = (topic: string) =>
    device.messages.filter(([to, text]) => to === topic && text !== '').map(([, text]) => JSON.parse(text).status);
  const viewer = await watch(t, `${s.http}/api/polls/q/stream`);
  await device.vote('vote/q', 'a');
  await s.resultAfter('q', 1);
  await step(s, 'q', 'close');
  await finalOf(s, 'q');
  await eventually('the final result', async () =>
    device.messages.find(([to, text]) => to === 'result/q' && text !== ''),
  );
  await step(s, 'q', 'continue');
  await eventually('an empty result', async () => {
    return device.messages.findLast(([to]) => to === 'result/q')?.[1] === '' ? true : undefined;
  });
  for (const topic of ['poll/q', 'room/hall']) {
    await eventually(`${topic} to be open again`, async () => (statuses(topic).at(-1) === 'open' ? true : undefined));
    t.notMatch(statuses(topic).join(), 'draft');
  }
  t.ok(
    device.messages.every(([to, text]) => to !== 'poll/q' || text !== ''),
    'the question is never withdrawn',
  );
  t.match((await s.call('GET', '/api/polls/q/result')).body, { hidden: true, final: false, ballots: 1 });
  const shown = await eventually('the stream', async () =>
    viewer.events.find(({ event, data }) => event === 'result' && data.interruptions),
  );
  t.match(shown.data, { round: 1, hidden: true, options: [{ count: null }, {}, {}] });
  await device.vote('vote/room/hall', 'b');
  await s.resultAfter('q', 2);
  await step(s, 'q', 'close');
  t.match(await finalOf(s, 'q'), { ballots: 1, options: [{ count: 0 }, { count: 1 }, { count: 0 }] });
  await eventually('the second final event', async () =>
    viewer.events.filter(({ event }) => event === 'final').length === 2 ? true : undefined,
  );
});

t.test('continue: if the dashboard dies meanwhile, another one finishes', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  await votes(s, 'd1', 'q', 'a');
  await s.resultAfter('q', 1);
  await step(s, 'q', 'close');
  await finalOf(s, 'q');
  await s.pollcast.dashboard?.repository.change('q', async (now) => interrupted(now));
  t.match((await s.call('GET', '/api/polls/q')).body, { status: 'opening', title: 'Poll q' });
  await eventually('the poll to be open', async () => ((await resultOf(s, 'q')).status === 'open' ? true : undefined));
  await votes(s, 'd2', 'q', 'b');
  await s.resultAfter('q', 2);
  await step(s, 'q', 'close');
  t.match(await finalOf(s, 'q'), { round: 1, ballots: 2, interruptions: [{ continuedAt: /Z$/ }] });
});

t.test('continue: what is left of the time is used, and a round whose time is over stays open', async (t) => {
  const s = await stage(t);
  await s.openPoll('early', { durationMs: 600_000 });
  await step(s, 'early', 'close');
  const { openedAt, stoppedAt, closingAt } = (await s.call('GET', '/api/polls/early', { operator: true })).body;
  t.equal(Date.parse(closingAt) - Date.parse(openedAt), 600_000);
  const { body } = await step(s, 'early', 'continue');
  const left = Date.parse(body.closingAt) - Date.parse(body.interruptions[0].continuedAt);
  t.equal(left, 600_000 - (Date.parse(stoppedAt) - Date.parse(openedAt)), 'the pause does not count');

  await s.openPoll('over', { durationMs: 1_000 });
  await finalOf(s, 'over');
  const over = (await step(s, 'over', 'continue')).body;
  t.match(over, { status: 'open', closingAt: null });
});

t.test('continue: presence at the close is taken anew, and that at the opening stays', async (t) => {
  const s = await stage(t, DOOR);
  const quorum = { number: 1, count: 'present', at: 'both' };
  await register(s, 'd1');
  await s.openPoll('q', { eligible: 'registered', quorum });
  await step(s, 'q', 'close');
  await finalOf(s, 'q');
  await register(s, 'd2');
  await step(s, 'q', 'continue');
  const open = (await s.call('GET', '/api/polls/q', { operator: true })).body;
  t.match(open, { presentAtOpen: { heads: 1 } });
  t.equal(open.presentAtClose, undefined);
  await step(s, 'q', 'close');
  await finalOf(s, 'q');
  t.match((await s.call('GET', '/api/polls/q', { operator: true })).body, {
    presentAtOpen: { heads: 1 },
    presentAtClose: { heads: 2 },
  });
  const bundle = (await s.call('GET', '/api/polls/q/audit', { operator: true })).body.trim().split('\n');
  t.same((await verifyBundle(each(bundle))).problems, []);
});
