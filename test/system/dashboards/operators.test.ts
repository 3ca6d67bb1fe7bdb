import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ROLES, type Role } from '../../../core/operators/operator.ts';
import { mayDo, PERMISSIONS, type Rule } from '../../../dashboards/api/permissions/table.ts';
import { eventually } from '../../support/eventually.ts';
import { type Stage, stage } from '../../support/stage.ts';
import { watch } from './viewer.ts';

const ROOT_TOKEN = 'operator-token-of-tests';

/** Creates an operator, and returns the token. */
async function created(s: Stage, operator: string, role: Role, more: object = {}): Promise<string> {
  const answer = await s.call('POST', '/api/operators', { operator: true, body: { operator, role, ...more } });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body.token;
}

/** Sends a request with a token, and returns its status and the code of its problem, if any. */
async function ask(s: Stage, token: string | undefined, method: string, path: string, body?: object) {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch(s.http + path, {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
  });
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem') ?? false;
  const code = isProblem ? String(((await response.json()) as { type: string }).type).replace('urn:pollcast:', '') : '';
  // Streams do not end.
  if (!isProblem) await response.body?.cancel();
  return { status: response.status, code };
}

const isLetThrough = ({ code }: { code: string }) => !['operators-only', 'not-allowed', 'wrong-token'].includes(code);

/** The answers to a wrong token: the second, if there were many from one address. */
const REFUSED: readonly number[] = [401, 429];

t.test('every route of the API has a row in the table, and the other way round', async (t) => {
  const s = await stage(t);
  const { paths } = (await s.call('GET', '/docs/json')).body as { paths: Record<string, Record<string, object>> };
  const routes = Object.entries(paths)
    .filter(([path]) => path.startsWith('/api/'))
    .flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    );
  t.same(routes.filter((route) => !route.startsWith('HEAD ')).sort(), Object.keys(PERMISSIONS).sort());
});

t.test('each role may send the requests that the table names, and no others', async (t) => {
  const s = await stage(t, { door: 'devices' });
  const tokens = new Map<Role | undefined, string | undefined>([[undefined, undefined]]);
  for (const role of ROLES) tokens.set(role, await created(s, `the-${role}`, role));
  for (const [route, rule] of Object.entries(PERMISSIONS)) {
    const [method = '', path = ''] = route.split(' ');
    const target = path.replace(/:\w+/g, 'nothing');
    const body = method === 'GET' || method === 'DELETE' ? undefined : {};
    for (const [role, token] of tokens) {
      const answer = await ask(s, token, method, target, body);
      const who = `${role ?? 'a stranger'}: ${route} → ${answer.status} ${answer.code}`;
      // A poll that does not exist is not found, whoever asks to hide its figures.
      const isAllowed = mayDo(rule, role) || rule.isForScreens || (role && rule.inPart?.[role]);
      if (isAllowed) t.ok(isLetThrough(answer), who);
      else t.same(answer, role ? { status: 403, code: 'not-allowed' } : { status: 401, code: 'operators-only' }, who);
    }
  }
});

t.test('only operators, presenters and screens with its key hide the figures of a poll', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await s.openPoll('q', { room: 'hall' });
  const statuses: Record<string, number> = {};
  for (const role of ROLES) {
    const token = await created(s, `the-${role}`, role);
    statuses[role] = (await ask(s, token, 'POST', '/api/polls/q/hide')).status;
  }
  t.same(statuses, { admin: 200, operator: 200, presenter: 200, auditor: 403, viewer: 403 });
  t.equal((await ask(s, undefined, 'POST', '/api/polls/q/hide')).status, 401);
});

t.test('a presenter opens, closes, hides and reveals in their room, and does nothing else', async (t) => {
  const s = await stage(t, { door: 'devices' });
  const options = ['a', 'b'].map((key) => ({ key, label: key }));
  for (const [poll, room] of [
    ['here', 'hall'],
    ['there', 'cellar'],
    ['nowhere', undefined],
  ] as const) {
    const body = { poll, title: poll, options, visibility: 'operator', ...(room ? { room } : {}) };
    await s.call('POST', '/api/polls', { operator: true, body });
  }
  const token = await created(s, 'ann', 'presenter', { rooms: ['hall'] });
  const step = async (name: string, poll = 'here') =>
    (await ask(s, token, 'POST', `/api/polls/${poll}/${name}`)).status;
  const change = async (body: object) => (await ask(s, token, 'PATCH', '/api/polls/here', body)).status;
  t.equal(await change({ title: 'Other' }), 403);
  t.equal(await change({ visibility: 'closed', title: 'Other' }), 403);
  t.same([await step('open'), await step('hide'), await step('show'), await step('close')], [200, 200, 200, 200]);
  t.equal(await change({ visibility: 'closed' }), 200, 'reveals the result');
  t.same([await step('reopen'), await step('continue')], [403, 403]);
  for (const poll of ['there', 'nowhere']) {
    t.same([await step('open', poll), await step('hide', poll), await step('close', poll)], [403, 403, 403], poll);
  }
  t.equal(await step('open', 'nothing'), 404);
  const listed = (await (
    await fetch(`${s.http}/api/polls`, { headers: { authorization: `Bearer ${token}` } })
  ).json()) as {
    polls: { poll: string }[];
  };
  t.same(
    listed.polls.map(({ poll }) => poll),
    ['here'],
    'the drafts of other rooms are not shown',
  );
});

t.test('an operator of some rooms cannot create polls elsewhere, nor move them there', async (t) => {
  const s = await stage(t);
  const token = await created(s, 'ann', 'operator', { rooms: ['hall', 'foyer'] });
  const draft = (poll: string, room?: unknown) => ({
    poll,
    title: 'Q?',
    options: [
      { key: 'a', label: 'A' },
      { key: 'b', label: 'B' },
    ],
    room,
  });
  const create = async (body: object) => (await ask(s, token, 'POST', '/api/polls', body)).status;
  for (const room of ['cellar', undefined, null, 7, ['hall'], 'hall ', '__proto__']) {
    t.equal(await create(draft('other', room)), 403, JSON.stringify(room));
  }
  t.equal(await create(draft('q', 'hall')), 201);
  const move = async (room: unknown) => (await ask(s, token, 'PATCH', '/api/polls/q', { room })).status;
  t.same([await move('cellar'), await move(null), await move(7)], [403, 403, 403]);
  t.equal(await move('foyer'), 200);
  t.match((await s.call('GET', '/api/polls/q', { operator: true })).body, { room: 'foyer' });
  await s.call('PATCH', '/api/polls/q', { operator: true, body: { room: 'cellar' } });
  t.equal((await ask(s, token, 'DELETE', '/api/polls/q')).status, 403);
  t.equal((await ask(s, token, 'POST', '/api/polls/q/open')).status, 403);
  for (const path of ['/api/devices', '/api/guests', '/api/rehearsal', '/api/log/dead']) {
    t.equal((await ask(s, token, 'GET', path)).status, 403, `${path} concerns all rooms`);
  }
});

t.test('figures that others may not see yet are shown to every role, but only in its rooms', async (t) => {
  const s = await stage(t);
  await s.openPoll('here', { room: 'hall', visibility: 'operator' });
  await s.openPoll('there', { room: 'cellar', visibility: 'operator' });
  for (const role of ROLES.filter((one) => one !== 'admin')) {
    const token = await created(s, `the-${role}`, role, { rooms: ['hall'] });
    const headers = { authorization: `Bearer ${token}` };
    const result = async (poll: string) =>
      (await (await fetch(`${s.http}/api/polls/${poll}/result`, { headers })).json()) as { hidden?: boolean };
    t.not((await result('here')).hidden, true, role);
    t.equal((await result('there')).hidden, true, role);
    const poll = (await (await fetch(`${s.http}/api/polls/here`, { headers })).json()) as {
      screenKey?: string;
      version?: number;
    };
    t.equal(
      poll.screenKey !== undefined,
      role === 'operator' || role === 'presenter',
      `${role}: the key of the screen`,
    );
    t.equal(poll.version !== undefined, role !== 'viewer', `${role}: settings`);
  }
});

t.test('tokens are random, shown once, and stored only as a hash', async (t) => {
  const s = await stage(t);
  const tokens = [];
  for (let i = 0; i < 3; i++) tokens.push(await created(s, `ann-${i}`, 'auditor'));
  for (const token of tokens) t.match(token, /^ann-\d\.[\w-]{24}$/);
  t.equal(new Set(tokens.map((token) => token.split('.')[1])).size, 3);
  const listed = JSON.stringify((await s.call('GET', '/api/operators', { operator: true })).body);
  const trail = JSON.stringify((await s.call('GET', '/api/audit-trail', { operator: true })).body);
  const secret = tokens[0]?.split('.')[1] ?? '';
  for (const text of [listed, trail]) t.notMatch(text, secret);
  t.notMatch(listed, /hash|salt/);
  await s.stop();
  for (const file of ['state.lmdb', 'log.lmdb'])
    t.equal(readFileSync(join(s.directory, file)).includes(secret), false, file);
});

t.test('an operator who cannot be created is refused with every problem', async (t) => {
  const s = await stage(t);
  const create = async (body: object) => await s.call('POST', '/api/operators', { operator: true, body });
  for (const body of [
    { operator: 'a b', role: 'admin' },
    { operator: 'root', role: 'admin' },
    { operator: 'screen', role: 'viewer' },
    { operator: '', role: 'viewer' },
    { operator: 'x'.repeat(65), role: 'viewer' },
    { operator: 'ann', role: 'king' },
    { operator: 'ann', role: 'admin', rooms: ['hall'] },
    { operator: 'ann', role: 'viewer', rooms: [] },
    { operator: 'ann', role: 'viewer', rooms: ['a b'] },
    { operator: 'ann', role: 'viewer', expiresAt: 'tomorrow' },
    { operator: 'ann', role: 'viewer', expiresAt: '2001-01-01T00:00:00Z' },
    { operator: 'ann', role: 'viewer', hash: 'x' },
  ]) {
    t.equal((await create(body)).status, 400, JSON.stringify(body));
  }
  t.equal((await create({ operator: 'ann', role: 'viewer' })).status, 201);
  t.equal((await create({ operator: 'ann', role: 'admin' })).status, 409);
  t.equal((await s.call('DELETE', '/api/operators/bob', { operator: true })).status, 404);
});

t.test('a wrong, revoked or expired token is refused, also where none is needed', async (t) => {
  const s = await stage(t);
  const token = await created(s, 'ann', 'auditor');
  const status = async (given: string, path = '/api/operator') => (await ask(s, given, 'GET', path)).status;
  t.equal(await status(token), 200);
  const [name, secret = ''] = token.split('.');
  const wrong = [
    'ann',
    'ann.',
    `.${secret}`,
    secret,
    `bob.${secret}`,
    `${token}x`,
    token.slice(0, -1),
    `ann..${secret}`,
    `${token}.`,
  ];
  for (const one of [...wrong, `${name}.${'x'.repeat(10_000)}`, '__proto__.x', `${ROOT_TOKEN}x`]) {
    t.ok(REFUSED.includes(await status(one)), one.slice(0, 60));
    t.ok(REFUSED.includes(await status(one, '/api/polls')), one.slice(0, 60));
  }
  const expire = (expiresAt: string | null) =>
    s.call('PATCH', '/api/operators/ann', { operator: true, body: { expiresAt } });
  t.match((await expire(new Date().toISOString())).body, { operator: 'ann', expired: true });
  t.ok(REFUSED.includes(await status(token)));
  t.match((await expire(null)).body, { expiresAt: null, expired: false });
  t.equal(await status(token), 200);
  t.equal((await s.call('DELETE', '/api/operators/ann', { operator: true })).status, 204);
  t.ok(REFUSED.includes(await status(token)));
  const next = await created(s, 'ann', 'auditor');
  t.ok(REFUSED.includes(await status(token)));
  t.equal(await status(next), 200);
  t.equal(await status(ROOT_TOKEN), 200, 'the token of the deployment goes on working');
});

/** Opens a stream as this operator. */
const stream = (t: Test, s: Stage, token: string, path: string) =>
  watch(t, s.http + path, { authorization: `Bearer ${token}` });

t.test(
  'the streams of an operator end when the token is revoked or expires, also if the name is used again',
  async (t) => {
    const s = await stage(t);
    await s.openPoll('q', { room: 'hall', visibility: 'operator' });
    for (const path of ['/api/polls/q/stream', '/api/stream?polls=q', '/api/rooms/hall/stream']) {
      const [ann, bob] = [await created(s, 'ann', 'viewer'), await created(s, 'bob', 'viewer')];
      const streams = [
        await stream(t, s, ann, path),
        await stream(t, s, bob, path),
        await stream(t, s, ROOT_TOKEN, path),
      ];
      for (const { events } of streams)
        await eventually('figures', async () => events.find(({ data }) => data.options));
      await s.call('DELETE', '/api/operators/ann', { operator: true });
      await created(s, 'ann', 'viewer');
      await eventually('the end of the stream', async () => streams[0]?.isEnded() || undefined);
      t.same(
        streams.map(({ isEnded }) => isEnded()),
        [true, false, false],
        path,
      );
      await s.call('PATCH', '/api/operators/bob', { operator: true, body: { expiresAt: new Date().toISOString() } });
      await eventually('the end of the other', async () => streams[1]?.isEnded() || undefined);
      t.equal(streams[2]?.isEnded(), false, path);
      for (const name of ['ann', 'bob']) await s.call('DELETE', `/api/operators/${name}`, { operator: true });
    }
  },
);

t.test('the deployment says who asks, and what they may do', async (t) => {
  const s = await stage(t);
  const token = await created(s, 'ann', 'operator', { rooms: ['hall'] });
  const may = async (given: string) => {
    const response = await fetch(`${s.http}/api/operator`, { headers: { authorization: `Bearer ${given}` } });
    return (
      (await response.json()) as { operator: { name: string; role: Role; rooms: string[] | null; may: string[] } }
    ).operator;
  };
  const root = await may(ROOT_TOKEN);
  t.match(root, { name: 'root', role: 'admin', rooms: null });
  t.same(root.may.toSorted(), [...new Set(Object.values(PERMISSIONS).map(({ action }: Rule) => action))].sort());
  const ann = await may(token);
  t.match(ann, { name: 'ann', role: 'operator', rooms: ['hall'] });
  t.ok(ann.may.includes('poll.open'));
  t.notOk(ann.may.includes('device.list'));
});
