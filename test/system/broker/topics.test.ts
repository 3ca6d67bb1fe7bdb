import t from 'tap';
import { eventually } from '../../support/eventually.ts';
import { withPoll } from './devices.ts';

t.test('state topics carry the state and the result, but neither hidden figures nor drafts', async (t) => {
  const s = await withPoll(t);
  const device = await s.device('d');
  await device.subscribe('poll/q', 1);
  await device.subscribe('room/hall', 1);
  await device.subscribe('result/q');
  t.match(JSON.parse(await device.next('poll/q')), { poll: 'q', status: 'open', round: 1, kind: 'single' });
  t.match(JSON.parse(await device.next('room/hall')), { poll: 'q', status: 'open' });
  await device.vote('vote/q', 'c');
  const result = await eventually('the result', async () => {
    const message = JSON.parse(await device.next('result/q'));
    return message.ballots === 1 ? message : undefined;
  });
  t.match(result, { options: [{ count: 0 }, { count: 0 }, { count: 1 }] });
  await s.call('POST', '/api/polls/q/close', { operator: true });
  const closed = await eventually('the closed state', async () => {
    const message = JSON.parse(await device.next('poll/q'));
    return message.status === 'closed' ? message : undefined;
  });
  t.equal(closed.round, 1);

  await s.openPoll('secret', { visibility: 'closed' });
  await s.call('POST', '/api/polls', {
    operator: true,
    body: { poll: 'quiz', title: 'What is 6 × 7?', kind: 'rating' },
  });
  const other = await s.device('e');
  await other.subscribe('result/secret');
  await other.subscribe('poll/quiz');
  await other.vote('vote/secret', 'a');
  await new Promise((resolve) => setTimeout(resolve, 1_300));
  t.same(
    other.messages.filter(([, payload]) => payload !== ''),
    [],
    'devices see no figures before the close, and never see drafts',
  );
});

t.test('a deleted poll leaves nothing behind, and its id can be used again', async (t) => {
  const s = await withPoll(t);
  await (await s.device('d')).vote('vote/q', 'a');
  await s.resultAfter('q', 1);
  await s.call('POST', '/api/polls/q/close', { operator: true });
  t.equal((await s.call('DELETE', '/api/polls/q', { operator: true })).status, 204);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  const device = await s.device('e');
  for (const topic of ['poll/q', 'room/hall', 'result/q']) await device.subscribe(topic);
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.same(device.messages, [], 'no retained message remains');
  await s.call('POST', '/api/polls', { operator: true, body: { poll: 'q', title: 'Again', kind: 'rating' } });
  await device.vote('vote/q', '3');
  t.match((await s.call('GET', '/api/polls/q/result', { operator: true })).body, { round: 0, ballots: 0, votes: 0 });
  t.equal((await s.call('POST', '/api/polls/q/recount', { operator: true })).status, 409);
  await s.call('POST', '/api/polls/q/open', { operator: true });
  t.match((await s.call('GET', '/api/polls/q/result', { operator: true })).body, { round: 2, ballots: 0 });
  t.equal((await s.call('GET', '/api/polls/q/ballots.csv?round=1', { operator: true })).status, 404);
});
