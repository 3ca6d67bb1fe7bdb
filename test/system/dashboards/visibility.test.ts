import t from 'tap';
import { eventually } from '../../support/eventually.ts';
import { stage } from '../../support/stage.ts';
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
  t.match((await s.call('GET', '/api/polls/never/result')).body, { hidden: true, final: true });
});
