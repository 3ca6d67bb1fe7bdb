import t from 'tap';
import { stage } from '../../support/stage.ts';
import { watch } from './viewer.ts';

t.test('requests that change polls, reveal votes or concern devices need the operator token', async (t) => {
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
    t.equal(response.status, 401, 'a wrong token is refused, even where no token is needed');
  }
});

t.test('the response to an invalid request lists all its problems', async (t) => {
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

t.test('health, readiness, docs and pages are served, and the number of viewers is limited', async (t) => {
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

t.test('only operators can read settings, responses, rehearsals and devices', async (t) => {
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
