import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import t, { type Test } from 'tap';
import type { Result } from '../core/voting/result.ts';
import { deltaOf } from '../dashboards/sse/delta.ts';
import { Feed } from '../dashboards/sse/feed.ts';
import { Viewer } from '../dashboards/sse/viewer.ts';
import { eventually, type Stage, stage } from './stage.ts';

interface SseEvent {
  readonly event: string;
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
  readonly data: any;
  readonly atMs: number;
}

/** A viewer that keeps what it gets. */
async function watch(t: Test, url: string, headers: Record<string, string> = {}) {
  const events: SseEvent[] = [];
  let isEnded = false;
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    get(url, { headers }, resolve).on('error', reject),
  );
  let rest = '';
  response.setEncoding('utf8');
  response.on('data', (text: string) => {
    const frames = (rest + text).split('\n\n');
    rest = frames.pop() ?? '';
    for (const frame of frames) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(frame)?.[1];
      const event = field('event');
      if (event) events.push({ event, id: field('id') ?? '', data: JSON.parse(field('data') ?? ''), atMs: Date.now() });
    }
  });
  response.on('close', () => (isEnded = true)).on('error', () => {});
  t.teardown(() => response.destroy());
  return { events, response, isEnded: () => isEnded };
}

const vote = async (s: Stage, device: string, poll: string, choice: string) => {
  const { vote, client } = await s.device(device);
  await vote(`vote/${poll}`, choice);
  await client.endAsync();
};

t.test('polls: create, change, open, close, reopen, delete', async (t) => {
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
    visibility: 'live',
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
    'a draft is the operators’ own',
  );
  t.same((await s.call('GET', '/api/polls')).body, { polls: [] });
  t.equal((await s.call('GET', '/api/polls', { operator: true })).body.polls.length, 1);
  t.match((await s.call('GET', '/api/polls/q/result')).body, { title: '', options: [], status: 'draft', final: false });

  t.match((await s.call('PATCH', '/api/polls/q', { operator: true, body: { title: 'Q2?' } })).body, {
    title: 'Q2?',
    status: 'draft',
  });
  t.equal((await s.call('POST', '/api/polls/q/reopen', { operator: true })).status, 409, 'never opened');
  t.match((await s.call('POST', '/api/polls/q/open', { operator: true })).body, { status: 'open', round: 1 });
  t.equal((await s.call('POST', '/api/polls/q/open', { operator: true })).status, 409);
  const late = await s.call('PATCH', '/api/polls/q', { operator: true, body: { title: 'Q3?' } });
  t.equal(late.status, 409);
  t.match(late.body.detail, /cannot be changed after that/);
  t.match((await s.call('PATCH', '/api/polls/q', { operator: true, body: { visibility: 'closed' } })).body, {
    visibility: 'closed',
    status: 'open',
  });
  t.equal((await s.call('DELETE', '/api/polls/q', { operator: true })).status, 409, 'open polls stay');
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
    'a round of its own',
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
    'old ballots cannot come back',
  );
});

t.test('a room has one open poll at a time', async (t) => {
  const s = await stage(t);
  await s.openPoll('one', { room: 'hall' });
  await t.rejects(s.openPoll('two', { room: 'hall' }), /poll one is open in room hall/);
  await s.openPoll('three', { room: 'other' });
});

t.test('operators only: what changes or reveals needs the token', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const calls: [string, string][] = [
    ['POST', '/api/polls'],
    ['PATCH', '/api/polls/q'],
    ['DELETE', '/api/polls/q'],
    ['POST', '/api/polls/q/open'],
    ['POST', '/api/polls/q/close'],
    ['POST', '/api/polls/q/reopen'],
    ['GET', '/api/polls/q/ballots.csv'],
    ['POST', '/api/polls/q/recount'],
    ['POST', '/api/devices'],
    ['POST', '/api/devices/import'],
    ['GET', '/api/devices/d'],
    ['DELETE', '/api/devices/d'],
  ];
  for (const [method, path] of calls) {
    const { status, body, headers } = await s.call(method, path, method === 'POST' ? { body: {} } : {});
    t.equal(status, 401, `${method} ${path}`);
    t.match(headers.get('content-type'), /application\/problem\+json/);
    t.match(body, { status: 401, title: 'Not signed in', type: 'urn:pollcast:operators-only' });
  }
  for (const authorization of ['Bearer wrong', 'Basic abc', 'Bearer']) {
    const response = await fetch(`${s.http}/api/polls/q/result`, { headers: { authorization } });
    t.equal(response.status, 401, 'a wrong token is told, never passed over');
  }
});

t.test('nonsense is answered with every problem', async (t) => {
  const s = await stage(t);
  const post = (body: unknown) => s.call('POST', '/api/polls', { operator: true, body });
  const bad = await post({ poll: 'a/b', title: '', options: [{ key: 'a', label: '\u202e' }] });
  t.equal(bad.status, 400);
  t.equal(bad.body.type, 'urn:pollcast:bad-definition');
  t.same(
    bad.body.problems.map((text: string) => text.split(':')[0]),
    ['poll', 'title', 'options[0].label', 'options'],
  );
  const shape = await post({ poll: 1, title: ['x'], kind: 'guess', more: true });
  t.equal(shape.status, 400);
  t.ok(
    shape.body.problems.some((text: string) => /kind.*single, motion, multiple, rating/.test(text)),
    shape.body.problems.join('; '),
  );
  t.ok(shape.body.problems.some((text: string) => /more/.test(text)));
  const json = await fetch(`${s.http}/api/polls`, {
    method: 'POST',
    headers: { ...s.operator, 'content-type': 'application/json' },
    body: '{',
  });
  t.equal(json.status, 400);
  const type = await fetch(`${s.http}/api/polls`, {
    method: 'POST',
    headers: { ...s.operator, 'content-type': 'text/plain' },
    body: 'x',
  });
  t.equal(type.status, 415);
  const large = await post({ poll: 'q', title: 'x'.repeat(200_000) });
  t.equal(large.status, 413);
  t.equal((await s.call('GET', '/api/nothing')).status, 404);
  t.equal((await s.call('GET', '/api/polls/nothing')).body.type, 'urn:pollcast:no-such-poll');
  t.equal((await s.call('GET', '/api/polls/__proto__/result')).status, 404);
  await s.openPoll('q');
  t.equal((await s.call('POST', '/api/polls/q/recount?round=9', { operator: true })).status, 404);
});

t.test('the stream: snapshot first, changes together, final at the end', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const viewer = await watch(t, `${s.http}/api/polls/q/stream`);
  t.match(viewer.response.headers, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
  t.match(
    viewer.response.headers['content-security-policy'],
    /default-src 'self'/,
    'the headers of every other answer',
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
  t.ok(changes.length < 60, `300 votes came in ${changes.length} changes`);
  for (const [i, { atMs }] of changes.entries()) {
    const tenLater = changes[i + 11];
    if (tenLater) t.ok(tenLater.atMs - atMs >= 950, 'at most 10 a second');
  }
  t.equal(changes.at(-1)?.data.title, undefined, 'only what changed');
  t.equal(new Set(viewer.events.map(({ id }) => id)).size, viewer.events.length, 'every event has an id of its own');

  const late = await watch(t, `${s.http}/api/polls/q/stream`);
  await eventually('a snapshot', async () => late.events[0]);
  t.match(late.events[0], { event: 'result', data: { votes: 300, ballots: 20 } });
  await s.call('POST', '/api/polls/q/close', { operator: true });
  for (const { events } of [viewer, late]) {
    const final = await eventually('final', async () => events.find(({ event }) => event === 'final'));
    t.match(final.data, { final: true, status: 'closed', ballots: 20 });
    t.ok(events.some(({ event, data }) => event === 'status' && data.status === 'closed'));
    t.same(apply(events), final.data, 'snapshot and changes together are the final result');
  }
  await s.call('POST', '/api/polls/q/reopen', { operator: true });
  await eventually('the next round', async () =>
    viewer.events.find(({ event, data }) => event === 'result' && data.round === 2),
  );
});

t.test('several polls in one stream', async (t) => {
  const s = await stage(t);
  await s.openPoll('one');
  await s.openPoll('two');
  const { events } = await watch(t, `${s.http}/api/stream?polls=one,two`);
  await eventually('both', async () => (events.length >= 2 ? true : undefined));
  t.same(events.map(({ data }) => data.poll).sort(), ['one', 'two']);
  await vote(s, 'd', 'two', 'a');
  await eventually('the change', async () =>
    events.find(({ event, data }) => event === 'change' && data.poll === 'two'),
  );
  t.equal((await s.call('GET', '/api/stream?polls=one,none')).status, 404);
  t.equal((await s.call('GET', '/api/stream')).status, 400);
});

t.test('visibility: figures are hidden from API and stream until everybody may see them', async (t) => {
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
  await eventually('turnout', async () => crowd.events.find(({ data }) => data.ballots === 1));
  await eventually('figures', async () => chair.events.find(({ data }) => data.options?.[0]?.count === 1));
  t.notOk(JSON.stringify(crowd.events).includes('"count":1'), 'nothing leaks');
  for (const poll of ['later', 'never']) await s.call('POST', `/api/polls/${poll}/close`, { operator: true });
  const final = await eventually('final', async () => crowd.events.find(({ event }) => event === 'final'));
  t.match(final.data.options[1], { key: 'b', count: 1, share: 1 });
  t.match((await s.call('GET', '/api/polls/never/result')).body, { hidden: true, final: true });
});

t.test('ballots.csv: every ballot, safe in a spreadsheet', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { kind: 'multiple' });
  await vote(s, '-cmd', 'q', 'b,a');
  await vote(s, 'plain', 'q', 'c');
  await s.resultAfter('q', 2);
  const { body, headers } = await s.call('GET', '/api/polls/q/ballots.csv', { operator: true });
  t.match(headers.get('content-disposition'), 'q-1.csv');
  const lines = body.split('\r\n');
  t.equal(lines[0].replace('\ufeff', ''), 'device,choice,n,at,weight,group,late');
  t.ok(
    lines.some((line: string) => line.startsWith(`'-cmd,"a,b",,2`)),
    body,
  );
  t.ok(lines.some((line: string) => line.startsWith('plain,c,,2')));
});

t.test('devices: register, import, bad ones told together', async (t) => {
  const s = await stage(t);
  const register = (body: object) => s.call('POST', '/api/devices', { operator: true, body });
  t.match((await register({ device: 'seat-1', label: 'Seat 1' })).body, { device: 'seat-1', secret: /^[\w-]{24}$/ });
  t.equal((await register({ device: 'seat-1' })).status, 409);
  const devices = [{ device: 'seat-1' }, { device: 'seat-2', secret: 'a-secret-of-our-own' }];
  const imported = await s.call('POST', '/api/devices/import', { operator: true, body: { devices } });
  t.match(imported.body, { devices: [{ device: 'seat-2', secret: 'a-secret-of-our-own' }], existing: ['seat-1'] });
  const bad = await s.call('POST', '/api/devices/import', {
    operator: true,
    body: { devices: [{ device: 'a b' }, { device: 'x', secret: 'short' }, { device: 'x' }, { device: 'guest-1' }] },
  });
  t.equal(bad.status, 400);
  t.equal(bad.body.problems.length, 4, bad.body.problems.join('; '));
  t.equal((await s.call('GET', '/api/devices/x', { operator: true })).status, 404, 'nothing was registered');
  t.match((await s.call('GET', '/api/devices/seat-1', { operator: true })).body, {
    registered: true,
    label: 'Seat 1',
    status: null,
  });
  const kept = JSON.stringify(await s.pollcast.store.registry.list('devices'));
  t.notOk(kept.includes('a-secret-of-our-own'), 'secrets are kept as hashes');
});

t.test('operations: health, ready, docs, pages, and no more viewers than allowed', async (t) => {
  const s = await stage(t, { maxViewers: '1' });
  await s.openPoll('q');
  t.match((await s.call('GET', '/health')).body, { status: 'ok' });
  t.match((await s.call('GET', '/ready')).body, { status: 'ready' });
  const openApi = (await s.call('GET', '/docs/json')).body;
  t.ok(openApi.paths['/api/polls/{poll}/stream'] && openApi.paths['/api/polls/'] === undefined);
  t.match((await s.call('GET', '/docs')).body, /<html/i);
  for (const page of ['/', '/screen/q', '/screen/room/hall', '/vote/hall']) {
    const { headers, status } = await s.call('GET', page);
    const policy = headers.get('content-security-policy') ?? '';
    t.ok(
      status === 200 && /default-src 'self'/.test(policy) && !/unsafe|https?:|\*/.test(policy),
      `${page}: ${policy}`,
    );
  }
  t.match((await s.call('GET', '/screen/q')).body, /<title>Results/);
  t.equal((await s.call('GET', '/screen/..%2f..%2fpackage.json')).status, 404);
  t.equal((await s.call('GET', '/web/../../package.json')).status, 404);
  await watch(t, `${s.http}/api/polls/q/stream`);
  t.equal((await s.call('GET', '/api/polls/q/stream')).status, 503);
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
  t.ok(Date.now() - startMs < 5_000, `${Date.now() - startMs} ms`);
  await eventually('the end', async () => (viewer.isEnded() ? true : undefined));
  await device.client.endAsync(true);
});

t.test('streams asked for in a row on one line do not use up the places', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const socket = connect(s.pollcast.httpPort, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('GET /api/polls/q/stream HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(200));
  await new Promise((resolve) => socket.once('data', resolve));
  await new Promise((resolve) => setTimeout(resolve, 200));
  socket.destroy();
  await eventually('no viewer', async () =>
    /^pollcast_viewers 0$/m.test((await s.call('GET', '/metrics')).body) ? true : undefined,
  );
  t.pass();
});

t.test('a slow viewer gets the newest state, never a backlog', async (t) => {
  const line = new PassThrough({ highWaterMark: 64 });
  const viewer = new Viewer(line, () => {});
  let newest = 0;
  const snapshot = () => Buffer.from(`newest ${newest}`);
  for (newest = 1; newest <= 10_000; newest++) viewer.send(Buffer.from(`frame ${newest} ${'x'.repeat(64)}`), snapshot);
  t.ok(line.readableLength + line.writableLength < 1_000, 'nothing piles up');
  newest = 10_000;
  let text = '';
  line.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await eventually('the newest state', async () => (text.includes('newest 10000') ? true : undefined));
  t.notOk(text.includes('frame 5000'));
  viewer.send(Buffer.from('next frame'), snapshot);
  await eventually('frames again', async () => (text.includes('next frame') ? true : undefined));
});

t.test('whoever leaves while others join a stream takes nobody with them', async (t) => {
  let answer: (result: Result) => void = () => {};
  const result = { poll: 'q', round: 1, status: 'open', options: [] } as unknown as Result;
  const feed = new Feed(() => new Promise((resolve) => (answer = resolve)));
  const lines = [new PassThrough(), new PassThrough()] as const;
  const [gone, there] = [new Viewer(lines[0], () => {}), new Viewer(lines[1], () => {})];
  const joins = [feed.join(gone), feed.join(there)];
  gone.end();
  feed.leave(gone);
  t.equal(feed.size, 2, 'those who are on their way count, or the feed is thrown away');
  feed.touch();
  answer(result);
  await Promise.all(joins);
  t.equal(feed.size, 1);
  let told = '';
  lines[1].on('data', (chunk: Buffer) => (told += chunk));
  await eventually('the next reading', async () => {
    answer({ ...result, status: 'closed' });
    return told.includes('closed') ? true : undefined;
  });
  t.match(
    told,
    /event: result.*"open".*event: (status|change).*"closed"/s,
    'what changed while they waited is not lost',
  );
  feed.close();
});

t.test('what a dashboard tells operators and nobody else', async (t) => {
  const s = await stage(t);
  await s.openPoll('secret', { secrecy: 'secret', visibility: 'closed' });
  await s.openPoll('named');
  for (const path of ['/api/operator', '/api/polls/named/responses', '/api/rehearsal', '/api/devices']) {
    t.equal((await s.call('GET', path)).status, 401, path);
  }
  t.match((await s.call('GET', '/api/operator', { operator: true })).body, { door: 'open', rehearsals: true });
  const answers = await s.call('GET', '/api/polls/secret/responses', { operator: true });
  t.match(answers, { status: 403, body: { type: 'urn:pollcast:not-named' } });
});

t.test('rehearsing a question that was not asked tells nobody what it will be', async (t) => {
  const s = await stage(t);
  const options = [
    { key: 'a', label: 'Paris' },
    { key: 'b', label: 'Lyon' },
  ];
  const quiz = { poll: 'quiz', title: 'The capital of France?', kind: 'quiz', options, correct: ['a'] };
  await s.call('POST', '/api/polls', { operator: true, body: quiz });
  const body = { devices: 5, seconds: 1 };
  t.equal((await s.call('POST', '/api/polls/quiz/rehearsal', { operator: true, body })).status, 202);
  t.equal((await s.call('POST', '/api/polls/quiz/rehearsal', { operator: true, body })).status, 409, 'one at a time');
  const { rehearsal } = await eventually('the end', async () => {
    const answer = await s.call('GET', '/api/rehearsal', { operator: true });
    return /passed|failed/.test(answer.body.rehearsal.phase) ? answer.body : undefined;
  });
  t.match(rehearsal, { phase: 'passed', report: { verdict: { lost: 0, compared: 5 } } });
  t.notMatch(JSON.stringify(rehearsal), /password/);
  await eventually('its close', async () => {
    const { status } = (await s.call('GET', '/api/polls/quiz-rehearsal', { operator: true })).body;
    return status === 'closed' ? true : undefined;
  });
  for (const path of ['/api/polls', '/api/polls/quiz-rehearsal', '/api/polls/quiz-rehearsal/result']) {
    t.notMatch(JSON.stringify((await s.call('GET', path)).body), /France|Paris|correct/, path);
  }
  const device = await s.device('curious');
  await device.subscribe('poll/quiz-rehearsal');
  t.notMatch(await device.next('poll/quiz-rehearsal'), /France|Paris|correct/);

  // The original is asked now; its right answer is not to be told by a copy that is over.
  await s.call('POST', '/api/polls/quiz/open', { operator: true });
  await s.call('POST', '/api/polls/quiz/rehearsal', { operator: true, body });
  await eventually('the end of another', async () => {
    const { phase } = (await s.call('GET', '/api/rehearsal', { operator: true })).body.rehearsal;
    const { status } = (await s.call('GET', '/api/polls/quiz-rehearsal')).body;
    return phase === 'passed' && status === 'closed' ? true : undefined;
  });
  for (const path of ['/api/polls/quiz-rehearsal', '/api/polls/quiz-rehearsal/result']) {
    t.notMatch(JSON.stringify((await s.call('GET', path)).body), /correct|answer/, path);
  }

  await s.openPoll('quiz-2');
  await s.openPoll('quiz-2-rehearsal', { title: 'Somebody else’s' });
  const refused = await s.call('POST', '/api/polls/quiz-2/rehearsal', { operator: true, body });
  t.match(refused, { status: 409, body: { type: 'urn:pollcast:no-copy' } });
  t.match((await s.call('GET', '/api/polls/quiz-2-rehearsal')).body, { title: 'Somebody else’s', status: 'open' });
  await s.call('POST', '/api/polls/quiz-2/close', { operator: true });
});

t.test('a rehearsal can be ended, and its copy is closed', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const body = { devices: 50, seconds: 60 };
  await s.call('POST', '/api/polls/q/rehearsal', { operator: true, body });
  t.equal((await s.call('DELETE', '/api/rehearsal', { operator: true })).status, 204);
  t.match((await s.call('GET', '/api/rehearsal', { operator: true })).body.rehearsal, {
    phase: 'failed',
    error: 'it was ended',
  });
  t.match((await s.call('GET', '/api/polls/q-rehearsal')).body, { status: 'closed' });
});

t.test('a draft whose opening failed is still its author’s', async (t) => {
  const s = await stage(t);
  await s.openPoll('first', { room: 'hall' });
  const options = [
    { key: 'a', label: 'A' },
    { key: 'b', label: 'B' },
  ];
  const body = { poll: 'second', title: 'Second?', options, room: 'hall', none: true };
  await s.call('POST', '/api/polls', { operator: true, body });
  t.equal((await s.call('POST', '/api/polls/second/open', { operator: true })).status, 409, 'the room is taken');
  const { draft, status } = (await s.call('GET', '/api/polls/second', { operator: true })).body;
  t.equal(status, 'draft');
  t.equal(draft.options.length, 2, 'as it was written, without what was filled in');
});

t.test('deltas hold what changed and nothing else', async (t) => {
  const before = {
    poll: 'q',
    round: 1,
    ballots: 1,
    at: 'x',
    options: [
      { key: 'a', count: 1 },
      { key: 'b', count: 0 },
    ],
  } as unknown as Result;
  const after = {
    ...before,
    ballots: 2,
    options: [
      { key: 'a', count: 1 },
      { key: 'b', count: 1 },
    ],
  } as unknown as Result;
  t.same(deltaOf(before, after), { poll: 'q', round: 1, ballots: 2, options: [{ key: 'b', count: 1 }] });
  t.equal(deltaOf(before, structuredClone(before)), undefined);
  t.match(deltaOf({ ...before, tied: ['a', 'b'] }, before), { tied: null }, 'what is gone is told to be gone');
});

/** The result as a viewer has it after all these events. */
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
