import t from 'tap';
import type { Dashboard } from '../../../app/dashboard.ts';
import { LiveResults } from '../../../core/live/results.ts';
import { RecountQueue } from '../../../core/rounds/recounts/queue.ts';
import { Recounter } from '../../../core/rounds/recounts/recounter.ts';
import { createLog } from '../../../core/runtime/log.ts';
import type { Poll } from '../../../core/voting/poll/poll.ts';
import { eventually } from '../../support/eventually.ts';
import { type Stage, stage } from '../../support/stage.ts';
import { finalOf, resultOf, step, votes } from './chair.ts';

/** Devices that press their buttons without a pause until the returned function is called. */
async function pressing(s: Stage, poll: string, number: number): Promise<() => Promise<void>> {
  let isOver = false;
  const devices = await Promise.all(Array.from({ length: number }, (_, i) => s.device(`d${i}`)));
  const work = devices.map(async ({ vote }, i) => {
    for (let n = 0; !isOver; n++) await vote(`vote/${poll}`, 'abc'[(i + n) % 3] as string);
  });
  return async () => {
    isOver = true;
    await Promise.all(work);
  };
}

/** Adds ballots to the live tally that are not in the log. */
async function falsify({ pollcast }: Stage, { definition, round }: Poll, by: number): Promise<void> {
  const { counts, log } = pollcast.store;
  for (let partition = 0; partition < log.partitions; partition++) {
    const slice = await counts.slice(partition, definition.poll, round);
    const { offset, refused, checkpoint } = await counts.position(partition);
    const count = slice?.tally.get('a');
    if (!slice || count === undefined) continue;
    const { tally: _, ...rest } = slice;
    const change = { ...rest, weights: [['a', count + by] as const] };
    const nothing = { expectedCheckpoint: checkpoint?.offset, producers: [], refused, entries: 0 };
    await counts.commit({ partition, expected: offset, offset, slices: [change], ...nothing });
    return;
  }
  throw new Error('nobody voted for a');
}

const recountsIn = async (s: Stage, outcome: string): Promise<number> => {
  const metrics = await (await fetch(`${s.http}/metrics`)).text();
  return Number(new RegExp(`^pollcast_recounts_total\\{outcome="${outcome}"\\} (\\d+)`, 'm').exec(metrics)?.[1]);
};

t.test('recount: devices that go on voting after the close do not make it differ', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const stop = await pressing(s, 'q', 40);
  await s.resultAfter('q', 200);
  await step(s, 'q', 'close');
  const { recount, rejected } = await eventually('the automatic recount', async () => {
    const result = await finalOf(s, 'q');
    return result.recount ? result : undefined;
  });
  t.equal(recount.agrees, true);
  const { body } = await s.call('POST', '/api/polls/q/recount', { operator: true });
  t.match(body, { agrees: true, differences: [], isBalanced: true });
  await s.resultAfter('q', (await resultOf(s, 'q')).votes + 100);
  t.ok((await resultOf(s, 'q')).rejected > rejected, 'votes kept arriving, and were rejected');
  await step(s, 'q', 'continue');
  t.match(
    (await s.call('POST', '/api/polls/q/recount', { operator: true })).body,
    { agrees: true },
    'while it is open',
  );
  await stop();
  await step(s, 'q', 'close');
  await finalOf(s, 'q');
  t.match((await s.call('POST', '/api/polls/q/recount', { operator: true })).body, { agrees: true });
  t.equal(await recountsIn(s, 'differs'), 0, 'no alarm was raised');
});

t.test('recount: a count that is wrong is reported, and the outcome is replaced once it is right', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  await votes(s, 'd', 'q', 'a');
  await s.resultAfter('q', 1);
  await step(s, 'q', 'close');
  await eventually('the automatic recount', async () => (await finalOf(s, 'q')).recount);
  const poll = s.pollcast.polls.get('q') as Poll;
  await falsify(s, poll, 1);
  const { body } = await s.call('POST', '/api/polls/q/recount', { operator: true });
  t.match(body, { agrees: false, differences: [/choice "a": live 2, recounted 1/] });
  t.match((await s.call('GET', '/api/polls/q/result')).body, { recount: { agrees: false } });
  t.equal(await recountsIn(s, 'differs'), 1);
  await falsify(s, poll, -1);
  const { store, polls, dashboard } = s.pollcast;
  const log = createLog('silent');
  const results = await LiveResults.open(store, polls, log);
  const { repository } = dashboard as Dashboard;
  const recounter = new Recounter({ store, results, repository, onOutcome: () => {}, log });
  const queue = await RecountQueue.open({ results, polls, recounter, againEveryMs: 50, log });
  t.teardown(async () => {
    await queue.close();
    await results.close();
  });
  await eventually('another automatic recount', async () => {
    return (await s.call('GET', '/api/polls/q/result')).body.recount.agrees === true ? true : undefined;
  });
});

t.test('recount: a clock that is set back does not make it differ', async (t) => {
  const s = await stage(t);
  const { now } = Date;
  t.teardown(() => {
    Date.now = now;
  });
  await s.openPoll('q');
  await votes(s, 'd1', 'q', 'a');
  await s.resultAfter('q', 1);
  Date.now = () => now() - 7_200_000;
  await votes(s, 'd1', 'q', 'b');
  await votes(s, 'd2', 'q', 'b');
  await s.resultAfter('q', 3);
  await step(s, 'q', 'close');
  await finalOf(s, 'q');
  const { body } = await s.call('POST', '/api/polls/q/recount', { operator: true });
  t.match(body, { agrees: true, differences: [], compared: ['live tally', 'dashboard', 'time series'] });
});

t.test('recount: a round whose log was removed is not said to be wrong', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  await votes(s, 'd', 'q', 'a');
  await s.resultAfter('q', 1);
  await step(s, 'q', 'close');
  await eventually('the automatic recount', async () => (await finalOf(s, 'q')).recount);
  await s.openPoll('other');
  await votes(s, 'd', 'other', 'a');
  await s.resultAfter('other', 1);
  const { store } = s.pollcast;
  for (let partition = 0; partition < store.log.partitions; partition++) {
    const { offset } = await store.counts.position(partition);
    for (let some = 1; some > 0; ) some = await store.log.trim(partition, Date.now() + 3_600_000, offset);
  }
  t.match(await s.call('POST', '/api/polls/q/recount', { operator: true }), {
    status: 409,
    body: { type: 'urn:pollcast:log-removed', detail: /removed from the log/ },
  });
  t.match((await s.call('GET', '/api/polls/q/result')).body, { recount: { agrees: true } });
});
