import t from 'tap';
import { stage } from '../../support/stage.ts';
import { vote } from './viewer.ts';

t.test('a poll can be created, changed, opened, closed, reopened and deleted', async (t) => {
  const s = await stage(t);
  const options = [
    { key: 'a', label: 'A' },
    { key: 'b', label: 'B' },
  ];
  const created = await s.call('POST', '/api/polls', { operator: true, body: { poll: 'q', title: 'Q?', options } });
  t.equal(created.status, 201);
  t.equal(created.headers.get('location'), '/api/polls/q');
  t.match(created.body, {
    poll: 'q',
    kind: 'single',
    revote: 'last',
    visibility: 'voted',
    status: 'draft',
    round: 0,
    openedAt: null,
  });
  t.match(created.body.createdAt, /^\d{4}-.*Z$/);
  t.equal(
    (await s.call('POST', '/api/polls', { operator: true, body: { poll: 'q', title: 'Q?', options } })).status,
    409,
  );

  t.same(
    (await s.call('GET', '/api/polls/q')).body,
    { poll: 'q', status: 'draft', round: 0 },
    'only operators can see a draft',
  );
  t.same((await s.call('GET', '/api/polls')).body, { polls: [] });
  t.equal((await s.call('GET', '/api/polls', { operator: true })).body.polls.length, 1);
  t.match((await s.call('GET', '/api/polls/q/result')).body, { title: '', options: [], status: 'draft', final: false });

  t.match((await s.call('PATCH', '/api/polls/q', { operator: true, body: { title: 'Q2?' } })).body, {
    title: 'Q2?',
    status: 'draft',
  });
  t.equal(
    (await s.call('POST', '/api/polls/q/reopen', { operator: true })).status,
    409,
    'a poll that was never opened cannot be reopened',
  );
  t.match((await s.call('POST', '/api/polls/q/open', { operator: true })).body, { status: 'open', round: 1 });
  t.equal((await s.call('POST', '/api/polls/q/open', { operator: true })).status, 409);
  const late = await s.call('PATCH', '/api/polls/q', { operator: true, body: { title: 'Q3?' } });
  t.equal(late.status, 409);
  t.match(late.body.detail, /cannot be changed after that/);
  t.match((await s.call('PATCH', '/api/polls/q', { operator: true, body: { visibility: 'closed' } })).body, {
    visibility: 'closed',
    status: 'open',
  });
  t.equal((await s.call('DELETE', '/api/polls/q', { operator: true })).status, 409, 'an open poll cannot be deleted');
  await vote(s, 'd', 'q', 'a');
  t.match((await s.call('POST', '/api/polls/q/close', { operator: true })).body, { status: 'closed' });
  t.equal((await s.call('POST', '/api/polls/q/close', { operator: true })).status, 409);
  t.match((await s.call('POST', '/api/polls/q/reopen', { operator: true })).body, {
    status: 'open',
    round: 2,
    closedAt: null,
  });
  t.match(
    (await s.call('GET', '/api/polls/q/result', { operator: true })).body,
    { round: 2, ballots: 0 },
    'the new round starts without ballots',
  );
  await s.call('POST', '/api/polls/q/close', { operator: true });
  t.match((await s.call('POST', '/api/polls/q/recount?round=1', { operator: true })).body, {
    agrees: true,
    tally: { a: 1 },
  });

  t.equal((await s.call('DELETE', '/api/polls/q', { operator: true })).status, 204);
  t.equal((await s.call('GET', '/api/polls/q')).status, 404);
  await s.call('POST', '/api/polls', { operator: true, body: { poll: 'q', title: 'Again', options } });
  t.match(
    (await s.call('POST', '/api/polls/q/open', { operator: true })).body,
    { round: 3 },
    'a deleted poll’s round numbers are not reused, so its ballots are not counted again',
  );
});

t.test('a room has one open poll at a time', async (t) => {
  const s = await stage(t);
  await s.openPoll('one', { room: 'hall' });
  await t.rejects(s.openPoll('two', { room: 'hall' }), /poll one is open in room hall/);
  await s.openPoll('three', { room: 'other' });
});

t.test('a draft is not changed when opening it fails', async (t) => {
  const s = await stage(t);
  await s.openPoll('first', { room: 'hall' });
  const options = [
    { key: 'a', label: 'A' },
    { key: 'b', label: 'B' },
  ];
  const body = { poll: 'second', title: 'Second?', options, room: 'hall', none: true };
  await s.call('POST', '/api/polls', { operator: true, body });
  t.equal(
    (await s.call('POST', '/api/polls/second/open', { operator: true })).status,
    409,
    'opening fails because another poll is open in the room',
  );
  const { draft, status } = (await s.call('GET', '/api/polls/second', { operator: true })).body;
  t.equal(status, 'draft');
  t.equal(draft.options.length, 2, 'the draft does not contain the option that opening adds');
});
