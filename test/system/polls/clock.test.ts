import t from 'tap';
import type { Rounds } from '../../../core/rounds/rounds.ts';
import type { Poll } from '../../../core/voting/poll/poll.ts';
import { eventually } from '../../support/eventually.ts';
import { stage } from '../../support/stage.ts';
import { create, finalOf, options, resultOf, step, votes } from './chair.ts';

t.test('a poll is opened and closed on schedule', async (t) => {
  const s = await stage(t);
  const opensAt = new Date(Date.now() + 900).toISOString();
  await create(s, 'timed', { options, opensAt, durationMs: 1_200 });
  const device = await s.device('d');
  await device.subscribe('receipt/d');
  await device.vote('vote/timed', 'a');
  t.equal(await device.next('receipt/d'), 'rejected timed not-open');
  const opened = await eventually('the opening', async () => {
    const { body } = await s.call('GET', '/api/polls/timed');
    return body.status === 'open' ? body : undefined;
  });
  t.ok(Date.parse(opened.openedAt) - Date.parse(opensAt) < 1_000, opened.openedAt);
  t.equal(Date.parse(opened.closingAt) - Date.parse(opened.openedAt), 1_200);
  t.equal(
    (await resultOf(s, 'timed')).closingAt,
    opened.closingAt,
    'the result contains the closing time, for countdowns',
  );
  await device.vote('vote/timed', 'b');
  t.equal(await device.next('receipt/d'), 'accepted timed');
  await new Promise((resolve) => setTimeout(resolve, Date.parse(opened.closingAt) - Date.now()));
  await device.vote('vote/timed', 'c');
  t.equal(
    await device.next('receipt/d'),
    'rejected timed closed',
    'votes are rejected from the closing time on, even before the close markers are written',
  );
  const final = await finalOf(s, 'timed');
  t.match(final, { ballots: 1, options: [{ count: 0 }, { count: 1 }, { count: 0 }] });
  const past = await s.call('POST', '/api/polls', {
    operator: true,
    body: { poll: 'x', title: 'x', options, opensAt },
  });
  t.match([past.status, past.body.problems[0]], [400, /opensAt: .* is in the past/]);
});

t.test('a round whose time ran out while no process was running is closed at startup', async (t) => {
  const directory = t.testdir();
  const s = await stage(t, {}, directory);
  await s.openPoll('q', { durationMs: 1_000 });
  await votes(s, 'd', 'q', 'a');
  await s.stop();
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const again = await stage(t, {}, directory);
  const final = await finalOf(again, 'q');
  t.match(final, { ballots: 1 });
  const { body } = await again.call('GET', '/api/polls/q');
  t.equal(body.stoppedAt, body.closingAt, 'voting ended at the closing time, not at startup');
});

t.test('late votes count if they were pressed before the close and arrive within the grace period', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { lateGraceMs: 2_500 });
  const device = await s.device('late');
  await device.subscribe('receipt/late');
  const receipt = async (payload: object | string) => {
    await device.vote('vote/q', typeof payload === 'string' ? payload : JSON.stringify(payload));
    return device.next('receipt/late');
  };
  await votes(s, 'punctual', 'q', 'a');
  const pressedAt = Date.now();
  const closing = (await step(s, 'q', 'close')).body;
  t.equal(closing.status, 'grace');
  t.equal(await receipt('b'), 'rejected q closed', 'a late vote without a press time is rejected');
  t.equal(
    await receipt({ c: 'b', t: Date.now() + 60_000 }),
    'rejected q closed',
    'a vote pressed after the close is rejected',
  );
  t.equal(await receipt({ c: 'b', t: 5 }), 'rejected q closed', 'a vote pressed before the opening is rejected');
  t.equal(await receipt({ c: 'b', t: pressedAt }), 'accepted q');
  t.match(await s.resultAfter('q', 5), { final: false, ballots: 2, late: 1 });
  const final = await finalOf(s, 'q');
  t.match(final, { ballots: 2, late: 1, options: [{ count: 1 }, { count: 1 }, { count: 0 }] });
  t.equal(
    await receipt({ c: 'b', t: pressedAt }),
    'rejected q closed',
    'a late vote is rejected after the grace period',
  );
  const { body } = await s.call('GET', '/api/polls/q/ballots.csv', { operator: true });
  t.match(body, /late,b,,[^,]*,,,late\r\n/);
  t.match(body, /punctual,a,,[^,]*,,,\r\n/);

  await step(s, 'q', 'reopen');
  await step(s, 'q', 'close');
  t.equal((await step(s, 'q', 'close')).body.status, 'closed', 'closing the round again ends the grace period');
});

t.test('when two dashboards close a round on schedule, the second close does not end the grace period', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { lateGraceMs: 60_000 });
  const { dashboard, polls } = s.pollcast;
  const rounds = dashboard?.rounds as Rounds;
  const seen = polls.get('q') as Poll;
  t.equal((await rounds.closeDue(seen))?.status, 'grace');
  t.equal(await rounds.closeDue(seen), undefined, 'the second close has no effect');
  t.equal(polls.get('q')?.status, 'grace');
  const late = polls.get('q') as Poll;
  await rounds.closeDue(late);
  await step(s, 'q', 'reopen');
  t.equal(
    await rounds.closeDue({ ...late, status: 'open' }),
    undefined,
    'a close that was due in an earlier round does not close the new round',
  );
  t.match(polls.get('q'), { status: 'open', round: 2 });
});
