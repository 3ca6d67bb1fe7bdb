import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import t from 'tap';
import { withChange } from '../../../client/change.ts';
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
  t.ok(changes.length < 300, `300 votes arrived in ${changes.length} changes`);
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
    // A field that was removed is null.
    t.match(apply(events), final.data, 'the snapshot and the changes add up to the final result');
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
  socket.write('GET /api/polls/q/stream HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(200));
  await new Promise((resolve) => socket.once('close', resolve));
  await eventually('all viewers to be released', async () =>
    /^pollcast_viewers 0$/m.test((await s.call('GET', '/metrics')).body) ? true : undefined,
  );
  t.pass();
});

t.test('viewers of every form end with the same final result, and who does not read gets no backlog', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const url = `${s.http}/api/polls/q/stream`;
  const gzip = { 'accept-encoding': 'gzip' };
  const viewers = [
    await watch(t, url),
    await watch(t, `${url}?changes=compact`),
    await watch(t, url, gzip),
    await watch(t, `${url}?changes=compact`, gzip),
  ];
  t.same(
    viewers.map(({ response }) => response.headers['content-encoding']),
    [undefined, undefined, 'gzip', 'gzip'],
  );
  for (const { response } of viewers) t.match(response.headers.vary, /accept-encoding/i);
  const sleeper = await watch(t, `${url}?changes=compact`, gzip);
  sleeper.response.pause();
  for (const [i, choice] of [...'abcaabbcabacbcab'].entries()) {
    await vote(s, `d${i % 5}`, 'q', choice);
    await s.resultAfter('q', i + 1);
    await eventually('the vote', async () =>
      viewers.every(({ events }) => (shown(events)?.votes === i + 1 ? true : undefined)) ? true : undefined,
    );
    // The line breaks here for a moment: a viewer that joins again begins with a whole result.
    if (i === 8) {
      viewers[1]?.response.destroy();
      viewers[1] = await watch(t, `${url}?changes=compact`, { 'last-event-id': viewers[1]?.events.at(-1)?.id ?? '' });
      t.equal((await eventually('a snapshot', async () => viewers[1]?.events[0])).event, 'result');
    }
  }
  sleeper.response.resume();
  await s.call('POST', '/api/polls/q/close', { operator: true });
  for (const { events } of [...viewers, sleeper]) {
    const final = await eventually('the final event', async () => events.find(({ event }) => event === 'final'));
    const { body } = await s.call('GET', '/api/polls/q/result');
    const before = events.slice(0, events.indexOf(final));
    // The recount may come before the final event of a viewer that was asleep.
    for (const seen of [final.data, shown(before)]) {
      t.same({ ...seen, recount: undefined }, { ...body, recount: undefined }, 'the snapshot and the changes add up');
    }
  }
  // Changes of figures only, as most votes cause.
  const small = viewers[3]?.events.filter(({ data }) => Object.keys(data).join() === 'poll,of,add') ?? [];
  t.ok(small.length > 0);
  for (const { data } of small) t.ok(JSON.stringify(data).length <= 80, JSON.stringify(data));
});

t.test('streams answer HTTP/1.0, HEAD, and questions that they do not understand', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const socket = connect(s.pollcast.httpPort, '127.0.0.1');
  t.teardown(() => socket.destroy());
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => (text += part));
  socket.write('GET /api/polls/q/stream HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n');
  await eventually('a snapshot', async () => (text.includes('event: result') ? true : undefined));
  t.match(text, /^HTTP\/1\.1 200 OK\r\n.*connection: close\r\n.*\r\n\r\nretry: \d+\n\nevent: result\n/s);
  t.notMatch(text, /transfer-encoding/i);
  // What a client sends after its request is not answered on its stream.
  socket.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await vote(s, 'd', 'q', 'a');
  await eventually('a change', async () => (text.includes('event: change') ? true : undefined));
  t.equal(text.split('HTTP/1.1').length, 2);
  const head = await fetch(`${s.http}/api/polls/q/stream`, { method: 'HEAD' });
  t.match([head.status, head.headers.get('content-type')], [200, /^text\/event-stream/]);
  t.equal((await s.call('GET', '/api/polls/q/stream?changes=few')).status, 400);
  socket.destroy();
  await eventually('no viewers', async () =>
    /^pollcast_viewers 0$/m.test((await s.call('GET', '/metrics')).body) ? true : undefined,
  );
});

t.test('a client that reads so many bytes at a time gets each event when it arrives', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const program = [
    'import http.client, sys',
    'c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))',
    'c.request("GET", "/api/polls/q/stream")',
    'r = c.getresponse()',
    // As urllib3 reads: a chunk at a time where there are chunks, otherwise as many bytes as were asked for.
    'while True:',
    '    part = r.read1(65536) if r.chunked else r.read(65536)',
    '    print(part.decode(), end="", flush=True)',
    '    if part == b"": print("END", flush=True); break',
  ].join('\n');
  const child = spawn('python3', ['-c', program, `${s.pollcast.httpPort}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill());
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  await eventually('a snapshot', async () => (text.includes('event: result') ? true : undefined));
  await vote(s, 'd', 'q', 'a');
  await eventually('a change', async () => (/event: change.*\n\n$/s.test(text) ? true : undefined));
  await s.pollcast.stop();
  await eventually('the end', async () => (text.endsWith('END\n') ? true : undefined));
  t.notMatch(text, /IncompleteRead/);
});

t.test('a large result is compressed where the client accepts it', async (t) => {
  const s = await stage(t);
  const options = Array.from({ length: 40 }, (_, i) => ({ key: `o${i}`, label: `Option number ${i}` }));
  await s.openPoll('large', { options });
  const url = `${s.http}/api/polls/large/result`;
  const [plain, packed] = await Promise.all(
    ['identity', 'gzip'].map((coding) => fetch(url, { headers: { 'accept-encoding': coding } })),
  );
  t.equal(plain?.headers.get('content-encoding'), null);
  t.equal(packed?.headers.get('content-encoding'), 'gzip');
  t.same(await packed?.json(), await plain?.json());
  for (const answer of [plain, packed]) t.match(answer?.headers.get('vary'), /accept-encoding/i);
  const viewer = await watch(t, `${s.http}/api/polls/large/stream`, { 'accept-encoding': 'gzip' });
  t.equal((await eventually('a snapshot', async () => viewer.events[0])).data.options.length, 40);
});

/** The result that a client shows after all these events. */
function shown(events: readonly SseEvent[]): Result | undefined {
  let result: Result | undefined;
  for (const { event, data } of events) {
    if (event === 'result') result = data;
    if (event === 'change' && result) result = withChange(result, data);
  }
  return result;
}

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
