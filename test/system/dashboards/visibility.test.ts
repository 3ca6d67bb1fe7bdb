import t from 'tap';
import { eventually } from '../../support/eventually.ts';
import { type Stage, stage } from '../../support/stage.ts';
import { vote, watch } from './viewer.ts';

t.test('figures are hidden in the API and in streams until the audience may see them', async (t) => {
  const s = await stage(t);
  await s.openPoll('later', { visibility: 'closed' });
  await s.openPoll('never', { visibility: 'operator' });
  const crowd = await watch(t, `${s.http}/api/polls/later/stream`);
  const chair = await watch(t, `${s.http}/api/polls/later/stream`, s.operator);
  for (const poll of ['later', 'never']) {
    await vote(s, 'd', poll, 'b');
    await s.resultAfter(poll, 1);
    const { body } = await s.call('GET', `/api/polls/${poll}/result`);
    t.match(body, {
      hidden: true,
      ballots: poll === 'later' ? 1 : null,
      options: [{ count: null, share: null }, { count: null }, { count: null }],
    });
    t.equal((await s.call('GET', `/api/polls/${poll}/timeline`)).status, 403);
    const timeline = await eventually('a timeline', async () => {
      const { body } = await s.call('GET', `/api/polls/${poll}/timeline`, { operator: true });
      return body.points.at(-1)?.votes === 1 ? body : undefined;
    });
    t.match(timeline, { poll, round: 1, stepMs: 1_000 });
    t.match(timeline.points.at(-1).ballots, { a: 0, b: 1, c: 0 });
  }
  await eventually('the turnout for the public', async () => crowd.events.find(({ data }) => data.ballots === 1));
  await eventually('the figures for the operator', async () =>
    chair.events.find(({ data }) => data.options?.[0]?.count === 1),
  );
  t.notOk(JSON.stringify(crowd.events).includes('"count":1'), 'the public stream contains no counts');
  for (const poll of ['later', 'never']) await s.call('POST', `/api/polls/${poll}/close`, { operator: true });
  const final = await eventually('the final event', async () => crowd.events.find(({ event }) => event === 'final'));
  t.match(final.data.options[1], { key: 'b', count: 1, share: 1 });
  const never = await eventually('the final result', async () => {
    const { body } = await s.call('GET', '/api/polls/never/result');
    return body.final ? body : undefined;
  });
  t.match(never, { hidden: true, final: true });
});

t.test('a draft follows the defaults of its kind and secrecy until its author says who sees results', async (t) => {
  const s = await stage(t);
  const options = ['a', 'b'].map((key) => ({ key, label: key }));
  const change = async (body: object) => (await s.call('PATCH', '/api/polls/q', { operator: true, body })).body;
  const made = await s.call('POST', '/api/polls', { operator: true, body: { poll: 'q', title: 'Q?', options } });
  t.match(made.body, { visibility: 'voted', draft: { title: 'Q?' } });
  t.match(await change({ kind: 'quiz', correct: ['a'] }), { visibility: 'closed' });
  t.match(await change({ kind: 'pulse' }), { visibility: 'live' });
  t.match(await change({ secrecy: 'secret' }), { visibility: 'closed', kind: 'pulse' });
  t.match(await change({ visibility: 'operator' }), { visibility: 'operator' });
  t.match(await change({ secrecy: null, kind: 'single' }), { visibility: 'operator' });
  t.match(await change({ visibility: null }), { visibility: 'voted' });
  t.match(await change({ title: 'Again?' }), { kind: 'single', title: 'Again?' });
});

const stepWith = async (s: Stage, poll: string, name: 'hide' | 'show', key?: string) => {
  const headers: Record<string, string> = key === undefined ? {} : { 'x-pollcast-screen': key };
  return (await fetch(`${s.http}/api/polls/${poll}/${name}`, { method: 'POST', headers })).status;
};

t.test('with a guarded door, a screen needs the key of its room to hide figures', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await s.openPoll('q', { room: 'hall' });
  await s.openPoll('r', { room: 'cellar' });
  await s.openPoll('other');
  const { screenKey } = (await s.call('GET', '/api/polls/q', { operator: true })).body;
  t.match(screenKey, /^[\w-]{32}$/);
  t.notOk(JSON.stringify((await s.call('GET', '/api/polls')).body).includes('screenKey'), 'only operators get it');
  t.equal(await stepWith(s, 'q', 'hide'), 401);
  t.equal(await stepWith(s, 'q', 'hide', 'x'.repeat(32)), 401);
  for (const poll of ['r', 'other']) t.equal(await stepWith(s, poll, 'hide', screenKey), 401, 'it opens no other room');
  t.equal(await stepWith(s, 'q', 'hide', screenKey), 200);
  t.match((await s.call('GET', '/api/polls/q')).body, { curtain: true });
  t.equal(await stepWith(s, 'q', 'show'), 401);
  t.match(await s.call('POST', '/api/polls/q/show', { operator: true }), { status: 200 });
  t.equal((await s.call('GET', '/api/polls/q')).body.curtain, undefined);
  t.equal(await stepWith(s, 'nothing', 'hide', screenKey), 404);
});

t.test('hidden figures are hidden everywhere but from operators, and shown again', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { room: 'hall' });
  await vote(s, 'd', 'q', 'b');
  await s.resultAfter('q', 1);
  const device = await s.device('watcher');
  await device.subscribe('result/q');
  t.match(JSON.parse(await device.next('result/q')), { poll: 'q' });
  const crowd = await watch(t, `${s.http}/api/polls/q/stream`);
  await eventually('figures', async () => crowd.events.find(({ data }) => data.options?.[1]?.count === 1));
  t.equal(await stepWith(s, 'q', 'hide'), 200);
  await eventually('hidden figures', async () => crowd.events.find(({ data }) => data.hidden && data.curtain));
  t.match((await s.call('GET', '/api/polls/q/result')).body, { hidden: true, curtain: true, ballots: 1 });
  t.match((await s.call('GET', '/api/polls/q')).body, { curtain: true });
  t.equal((await s.call('GET', '/api/polls/q/timeline')).status, 403);
  t.match((await s.call('GET', '/api/polls/q/result', { operator: true })).body.options[1], { count: 1 });
  await eventually('an empty retained result', async () =>
    device.messages.find(([topic, text]) => topic === 'result/q' && text === '') ? true : undefined,
  );
  await s.call('POST', '/api/polls/q/close', { operator: true });
  await eventually('the final result', async () => {
    const { body } = await s.call('GET', '/api/polls/q/result');
    return body.final ? t.match(body, { hidden: true, curtain: true }) : undefined;
  });
  t.equal(await stepWith(s, 'q', 'show'), 200);
  t.match((await s.call('GET', '/api/polls/q/result')).body.options[1], { count: 1 });
});

t.test('every round that is kept is listed, with its result and its timeline', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  await vote(s, 'd', 'q', 'b');
  await s.resultAfter('q', 1);
  await s.call('POST', '/api/polls/q/close', { operator: true });
  await eventually('the final result', async () =>
    (await s.call('GET', '/api/polls/q/result')).body.final ? true : undefined,
  );
  await s.call('POST', '/api/polls/q/reopen', { operator: true });
  const { body } = await s.call('GET', '/api/polls/q');
  t.match(body.rounds, [
    { round: 1, openedAt: /Z$/, closedAt: /Z$/ },
    { round: 2, openedAt: /Z$/, closedAt: null },
  ]);
  t.match((await s.call('GET', '/api/polls/q/result?round=1')).body, { round: 1, final: true, ballots: 1 });
  const timeline = await eventually('the timeline of round 1', async () => {
    const { body } = await s.call('GET', '/api/polls/q/timeline?round=1');
    return body.points?.at(-1)?.votes === 1 ? body : undefined;
  });
  t.match(timeline, { poll: 'q', round: 1 });
  t.equal((await s.call('GET', '/api/polls/q/timeline?round=3')).status, 404);
});
