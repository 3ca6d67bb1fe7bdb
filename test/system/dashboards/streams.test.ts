import { connect } from 'node:net';
import t from 'tap';
import type { Result } from '../../../core/voting/result/result.ts';
import { eventually } from '../../support/eventually.ts';
import { stage } from '../../support/stage.ts';
import { type SseEvent, vote, watch } from './viewer.ts';

t.test('a stream sends a snapshot, then batched changes, then the final result', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const viewer = await watch(t, `${s.http}/api/polls/q/stream`);
  t.match(viewer.response.headers, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
  t.match(
    viewer.response.headers['content-security-policy'],
    /default-src 'self'/,
    'streams have the same security headers as other responses',
  );
  await eventually('a snapshot', async () => viewer.events[0]);
  t.match(viewer.events[0], {
    event: 'result',
    data: { poll: 'q', round: 1, status: 'open', ballots: 0, final: false },
  });

  const devices = await Promise.all(Array.from({ length: 20 }, (_, i) => s.device(`d${i}`)));
  for (let i = 0; i < 15; i++)
    await Promise.all(devices.map((device) => device.vote('vote/q', 'abc'[i % 3] as string)));
  await s.resultAfter('q', 300);
  await eventually('all votes', async () => viewer.events.find(({ data }) => data.votes === 300));
  const changes = viewer.events.filter(({ event }) => event === 'change');
  t.ok(changes.length < 60, `300 votes arrived in ${changes.length} changes`);
  for (const [i, { atMs }] of changes.entries()) {
    const tenLater = changes[i + 11];
    if (tenLater) t.ok(tenLater.atMs - atMs >= 950, 'at most 10 changes are sent per second');
  }
  t.equal(changes.at(-1)?.data.title, undefined, 'a change contains only what changed');
  t.equal(new Set(viewer.events.map(({ id }) => id)).size, viewer.events.length, 'every event has its own id');

  const late = await watch(t, `${s.http}/api/polls/q/stream`);
  await eventually('a snapshot', async () => late.events[0]);
  t.match(late.events[0], { event: 'result', data: { votes: 300, ballots: 20 } });
  await s.call('POST', '/api/polls/q/close', { operator: true });
  for (const { events } of [viewer, late]) {
    const final = await eventually('the final event', async () => events.find(({ event }) => event === 'final'));
    t.match(final.data, { final: true, status: 'closed', ballots: 20 });
    t.ok(events.some(({ event, data }) => event === 'status' && data.status === 'closed'));
    t.same(apply(events), final.data, 'the snapshot and the changes add up to the final result');
  }
  await s.call('POST', '/api/polls/q/reopen', { operator: true });
  await eventually('the next round', async () =>
    viewer.events.find(({ event, data }) => event === 'result' && data.round === 2),
  );
});

t.test('one stream can carry several polls', async (t) => {
  const s = await stage(t);
  await s.openPoll('one');
  await s.openPoll('two');
  const { events } = await watch(t, `${s.http}/api/stream?polls=one,two`);
  // Only snapshots are compared: if one partition reads the open marker later than the others, a change follows.
  const snapshots = () => events.filter(({ event }) => event === 'result').map(({ data }) => data.poll);
  await eventually('both snapshots', async () => (snapshots().length >= 2 ? true : undefined));
  t.same(snapshots().sort(), ['one', 'two']);
  await vote(s, 'd', 'two', 'a');
  await eventually('the change', async () =>
    events.find(({ event, data }) => event === 'change' && data.poll === 'two'),
  );
  t.equal((await s.call('GET', '/api/stream?polls=one,none')).status, 404);
  t.equal((await s.call('GET', '/api/stream')).status, 400);
});

t.test('open streams do not keep the process from stopping', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const viewer = await watch(t, `${s.http}/api/polls/q/stream`);
  const silent = connect(s.pollcast.mqttPort, '127.0.0.1');
  silent.on('error', () => {});
  const device = await s.device('d');
  const startMs = Date.now();
  t.equal(await s.pollcast.stop(), true);
  t.ok(Date.now() - startMs < 5_000, `stopping took ${Date.now() - startMs} ms`);
  await eventually('the end of the stream', async () => (viewer.isEnded() ? true : undefined));
  await device.client.endAsync(true);
});

t.test('pipelined stream requests on one connection do not use up the viewer limit', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const socket = connect(s.pollcast.httpPort, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('GET /api/polls/q/stream HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(200));
  await new Promise((resolve) => socket.once('data', resolve));
  await new Promise((resolve) => setTimeout(resolve, 200));
  socket.destroy();
  await eventually('all viewers to be released', async () =>
    /^pollcast_viewers 0$/m.test((await s.call('GET', '/metrics')).body) ? true : undefined,
  );
  t.pass();
});

/** The result that a viewer has after all these events. */
function apply(events: readonly SseEvent[]): unknown {
  let result: Result | undefined;
  for (const { event, data } of events) {
    if (event === 'result') result = data;
    if (event !== 'change' || !result) continue;
    const changed = new Map((data.options ?? []).map((option: { key: string }) => [option.key, option]));
    const options = result.options.map((option) => changed.get(option.key) ?? option) as unknown as Result['options'];
    result = { ...result, ...data, options };
  }
  return result;
}
