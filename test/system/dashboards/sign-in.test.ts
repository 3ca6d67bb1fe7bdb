import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { eventually } from '../../support/eventually.ts';
import { emptyFolder } from '../../support/folder.ts';
import { AUDIENCE, entrance, entryStage, identity, signInSettings } from '../../support/identity.ts';
import { Server } from '../../support/process.ts';
import { redisServer } from '../../support/servers.ts';
import { stage } from '../../support/stage.ts';
import { watch } from './viewer.ts';

const HOUR_MS = 3_600_000;

t.test('a person whom the provider identifies has a session, with the role and rooms of the mapping', async (t) => {
  for (const claimsIn of ['id-token', 'userinfo'] as const) {
    const s = await entryStage(t, {}, claimsIn);
    t.same((await s.call('GET', '/api/sign-in')).body, { provider: { name: 'Example ID', address: s.http } });
    const before = Date.now();
    const { status, body } = await s.enter('ann', '#/polls/q%20');
    t.equal(status, 200, claimsIn);
    t.match(body, { token: /^oidc-[0-9a-f]{24}\.[\w-]{24}$/, returnTo: '#/polls/q%20' });
    const endMs = Date.parse(body.expiresAt);
    t.ok(endMs >= before + 12 * HOUR_MS && endMs <= Date.now() + 12 * HOUR_MS, 'it lasts for twelve hours');
    const me = (await s.as(body.token, 'GET', '/api/operator')).body.operator;
    t.match(me, { name: 'oidc:ann (Ann Lee)', role: 'admin', rooms: null, session: true });
    const bob = (await s.enter('bob')).body;
    t.match((await s.as(bob.token, 'GET', '/api/operator')).body.operator, {
      ...{ name: 'oidc:bob (Bob)', role: 'operator', rooms: ['hall', 'foyer'], session: true },
    });
    t.equal((await s.as(bob.token, 'GET', '/api/devices')).status, 403, 'the table of permissions holds');
    const eve = (await s.enter('eve')).body;
    t.match((await s.as(eve.token, 'GET', '/api/operator')).body.operator, {
      name: 'oidc:eve (root)',
      role: 'auditor',
    });
    const { operators } = (await s.call('GET', '/api/operators', { operator: true })).body;
    t.match(operators.find(({ role }: { role: string }) => role === 'admin')?.person, {
      ...{ issuer: s.provider.issuer, subject: 'ann', name: 'Ann Lee' },
    });
    const { records } = (await s.call('GET', '/api/audit-trail', { operator: true })).body;
    const begun = records.find(({ who }: { who: string }) => who === 'oidc:ann (Ann Lee)');
    t.match(begun, { action: 'session.begin', role: 'admin', outcome: 'done', target: /^operator\/oidc-/ });
    t.equal(begun.issuer, s.provider.issuer, 'a subject is known at its issuer alone');
    t.match(JSON.parse(begun.after), { issuer: s.provider.issuer, role: 'admin', rooms: 'all' });
    t.notMatch(JSON.stringify([operators, records]), body.token.split('.')[1]);
    await s.stop();
  }
});

t.test(
  'sessions end when their person signs out, an admin ends them, or they expire, and so do their streams',
  async (t) => {
    const s = await entryStage(t);
    await s.openPoll('q', { room: 'hall', visibility: 'operator' });
    const status = async (token: string) => (await s.as(token, 'GET', '/api/operator')).status;
    const [one, two, three] = [await s.enter('bob'), await s.enter('bob'), await s.enter('bob')].map(
      ({ body }) => body,
    );
    const name = (body: { token: string }) => body.token.split('.')[0];
    const streams = await Promise.all(
      [one, two, three].map(({ token }) =>
        watch(t, `${s.http}/api/polls/q/stream`, { authorization: `Bearer ${token}` }),
      ),
    );
    for (const { events } of streams) await eventually('figures', async () => events.find(({ data }) => data.options));
    t.equal((await s.as(one.token, 'DELETE', '/api/session')).status, 204);
    t.equal(await status(one.token), 401);
    t.equal((await s.call('DELETE', `/api/operators/${name(two)}`, { operator: true })).status, 204);
    t.equal(await status(two.token), 401);
    const expire = (expiresAt: string | null) =>
      s.call('PATCH', `/api/operators/${name(three)}`, { operator: true, body: { expiresAt } });
    for (const later of [null, new Date(Date.now() + 13 * HOUR_MS).toISOString()])
      t.match(
        await expire(later),
        { status: 400, body: { type: 'urn:pollcast:bad-operator' } },
        'it cannot be prolonged',
      );
    t.equal((await expire(new Date().toISOString())).status, 200);
    t.equal(await status(three.token), 401);
    for (const { isEnded } of streams) await eventually('the end of the stream', async () => isEnded() || undefined);
    t.same((await s.call('GET', '/api/operators', { operator: true })).body.operators, []);
    const refused = await s.call('DELETE', '/api/session', { operator: true });
    t.match(refused, { status: 409, body: { type: 'urn:pollcast:no-session' } });
    const many = [];
    for (let i = 0; i < 12; i++) many.push((await s.enter('bob')).body.token);
    t.same(await Promise.all(many.map(status)), [401, 401, ...Array(10).fill(200)], 'one person has ten sessions');
  },
);

t.test('who has no role gets no session, learns why, and is in the audit trail', async (t) => {
  const s = await entryStage(t);
  const { status, body } = await s.enter('dora');
  t.equal(status, 403);
  t.match(body, { type: 'urn:pollcast:no-role', detail: /Dora.*"groups".*ask an administrator.*token/ });
  t.same((await s.call('GET', '/api/operators', { operator: true })).body.operators, []);
  const { records } = (await s.call('GET', '/api/audit-trail', { operator: true })).body;
  t.match(records[0], {
    ...{ who: 'oidc:dora (Dora)', role: null, action: 'session.begin', outcome: 'refused', code: 'no-role' },
  });
  const denied = await s.enter('nobody');
  t.match(denied, { status: 403, body: { type: 'urn:pollcast:sign-in-refused', detail: /access_denied/ } });
  const metrics = String((await s.call('GET', '/metrics')).body);
  t.match(metrics, /pollcast_sign_ins_total\{outcome="no-role"\} 1/);
  t.match(metrics, /pollcast_sign_ins_total\{outcome="refused"\} 1/);
});

t.test('a sign-in is completed once, in the browser that began it, with the answer to its own state', async (t) => {
  const s = await entryStage(t);
  const [mine, other] = [await s.begin(), await s.begin()];
  t.match(mine.setCookie, /^pollcast-sign-in=[\w.-]+; Max-Age=600; HttpOnly; SameSite=Strict; Path=\/api\/sign-in$/);
  const { search } = await s.provider.visit(mine.address, 'ann');
  const state = new URLSearchParams(search).get('state') ?? '';
  const [name, sealed = ''] = mine.cookie.split('=');
  const parts = sealed.split('.');
  const flipped = (at: number) =>
    parts.map((part, i) => (i === at ? part.replace(/.$/, (c) => (c === 'A' ? 'Q' : 'A')) : part)).join('.');
  for (const [why, query, cookie] of [
    ['no cookie', search, ''],
    ['an empty cookie', search, `${name}=`],
    ['the cookie of another sign-in', search, other.cookie],
    ['a cookie that was changed', search, `${name}=${flipped(3)}`],
    ['another nonce of the cipher', search, `${name}=${flipped(2)}`],
    ['another tag of the cipher', search, `${name}=${flipped(4)}`],
    ['a cookie that is not sealed', search, `${name}=${Buffer.from(JSON.stringify({ state })).toString('base64url')}`],
    ['a cookie of nothing', search, `${name}=....`],
    ['a long cookie', search, `${name}=${'a'.repeat(5_000)}`],
    ['another state', search.replace(state, 'x'), mine.cookie],
    ['no state', search.replace(/state=[^&]*/, ''), mine.cookie],
    ['no query', '', mine.cookie],
    ['a second cookie of the name', search, `${mine.cookie}; ${other.cookie}`],
    ['a second cookie before it', search, `${other.cookie}; ${mine.cookie}`],
    ['the cookie twice', search, `${mine.cookie};${mine.cookie}`],
    ['an empty second cookie', search, `x=y; ${mine.cookie}; ${name}=`],
    ['a cookie of another name', search, `x${mine.cookie}`],
    ['the name in another cookie', search, `x=${mine.cookie}`],
  ] as const) {
    const { status, body } = await s.complete(query, cookie);
    t.match({ status, ...body }, { status: 400, type: 'urn:pollcast:sign-in-unknown' }, why);
  }
  t.equal((await s.complete(search, mine.cookie)).status, 200);
  for (let i = 0; i < 3; i++) t.ok([400, 403].includes((await s.complete(search, mine.cookie)).status), 'not twice');
  const invented = `?code=invented&state=${new URL(other.address).searchParams.get('state')}`;
  t.match((await s.complete(invented, other.cookie)).body, { type: 'urn:pollcast:sign-in-refused' });
  t.equal((await s.call('GET', '/api/operators', { operator: true })).body.operators.length, 1);
});

t.test('the provider sends browsers back to the public address alone, and from there to our own page', async (t) => {
  const s = await entryStage(t);
  const { address } = await s.begin();
  t.equal(new URL(address).searchParams.get('redirect_uri'), `${s.http}/signed-in`);
  t.equal((await fetch(`${s.http}/signed-in?code=x&state=y`)).status, 200, 'the page that completes sign-ins');
  for (const returnTo of [
    ...[
      '//evil.example',
      'https://evil.example',
      '/\\evil.example',
      'javascript:alert(1)',
      '#/../x"<script>',
      '/polls',
    ],
    ...['#//\nevil', '#', '#polls', ` #/polls`, `#/${'x'.repeat(201)}`, 7, ['#/polls'], { toString: '#/' }],
  ]) {
    const answer = await fetch(`${s.http}/api/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: s.http },
      body: JSON.stringify({ returnTo }),
    });
    t.equal(answer.status, 400, JSON.stringify(returnTo));
  }
  const begin = async (headers: Record<string, string>, body = '{}') =>
    (await fetch(`${s.http}/api/sign-in`, { method: 'POST', headers, body })).status;
  const json = { 'content-type': 'application/json' };
  t.equal(await begin({ ...json, origin: 'https://evil.example' }), 403);
  t.equal(await begin({ ...json, origin: s.http.replace('127.0.0.1', 'localhost') }), 403);
  t.equal(await begin({ ...json, origin: 'null' }), 403);
  t.equal(await begin(json), 403);
  t.equal(await begin({ 'content-type': 'text/plain', origin: s.http }), 415, 'what a form could send');
});

t.test(
  'behind HTTPS, no other host of the domain can plant the cookie, and a prefix is part of the redirect URI',
  async (t) => {
    const provider = await identity(t, ['https://www.example.org/votes/signed-in']);
    const s = await stage(t, signInSettings(provider.issuer, 'https://www.example.org/votes'));
    const { begin, complete } = entrance(s.http, provider, 'https://www.example.org');
    const { address, cookie, setCookie } = await begin();
    t.equal(new URL(address).searchParams.get('redirect_uri'), 'https://www.example.org/votes/signed-in');
    t.match(setCookie, /^__Host-pollcast-sign-in=[\w.-]+; Max-Age=600; HttpOnly; SameSite=Strict; Path=\/; Secure$/);
    t.equal((await fetch(`${s.http}/votes/signed-in?code=x`)).status, 200);
    const { search } = await provider.visit(address, 'ann');
    t.equal(
      (await complete(search, cookie.replace('__Host-', ''))).status,
      400,
      'a cookie that another host may have set',
    );
    t.equal((await complete(search, `other=1; ${cookie}; third=2`)).status, 200);
  },
);

t.test('while the provider is down, the process starts, is ready, and accepts tokens', async (t) => {
  const s = await entryStage(t);
  await s.provider.stop();
  const again = await stage(t, signInSettings(s.provider.issuer, s.http), emptyFolder(t));
  for (const { call } of [s, again]) {
    await eventually('readiness', async () => (await call('GET', '/ready')).status === 200 || undefined);
    t.equal((await call('GET', '/api/operator', { operator: true })).status, 200);
    t.equal((await call('GET', '/api/sign-in')).status, 200);
  }
  const { begin } = entrance(again.http, s.provider, s.http);
  await t.rejects(begin(), /503.*provider-away.*sign in with a token/);
  t.match((await again.call('GET', '/metrics')).body, /pollcast_sign_ins_total\{outcome="away"\} 1/);
  t.equal((await again.call('GET', '/ready')).status, 200);
  await s.provider.resume();
  await eventually('the provider', async () => begin().catch(() => undefined));
});

t.test('without a provider, there is no sign-in but with a token', async (t) => {
  const s = await stage(t);
  t.same((await s.call('GET', '/api/sign-in')).body, { provider: null });
  t.equal((await s.call('POST', '/api/sign-in', { body: {} })).status, 404);
  t.equal((await s.call('POST', '/api/sign-in/complete', { body: { query: '' } })).status, 404);
});

t.test('sessions of a provider that is not used any more are void', async (t) => {
  const s = await entryStage(t);
  const { token } = (await s.enter('ann')).body;
  await s.stop();
  for (const settings of [{}, signInSettings('http://127.0.0.1:9', s.http)]) {
    const later = await stage(t, settings, s.directory);
    const headers = { authorization: `Bearer ${token}` };
    t.equal((await fetch(`${later.http}/api/operator`, { headers })).status, 401);
    t.same((await later.call('GET', '/api/operators', { operator: true })).body.operators, []);
    await later.stop();
  }
});

t.test('a change of the mapping, the client or the length of sessions applies to those that have begun', async (t) => {
  const s = await entryStage(t);
  const [ann, bob] = [(await s.enter('ann')).body.token, (await s.enter('bob')).body.token];
  await s.stop();
  const settings = signInSettings(s.provider.issuer, s.http);
  const at = async (more: object, check: (who: (token: string) => Promise<unknown>) => Promise<unknown>) => {
    const later = await stage(t, { ...settings, ...more }, s.directory);
    await check(async (token) => {
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`${later.http}/api/operator`, { headers });
      return response.status === 200 ? ((await response.json()) as { operator: object }).operator : response.status;
    });
    await later.stop();
  };
  await at({ oidcRoles: 'hall-team=operator@hall; staff=viewer' }, async (who) => {
    t.match(await who(ann), { role: 'viewer', rooms: null });
    t.match(await who(bob), { role: 'operator', rooms: ['hall'] });
  });
  await at({ oidcRoles: 'others=admin' }, async (who) => t.same([await who(ann), await who(bob)], [401, 401]));
  await at({ oidcClientId: 'another' }, async (who) => t.equal(await who(ann), 401));
  await at({ oidcRoleClaim: 'roles' }, async (who) => t.equal(await who(ann), 401));
  await at({}, async (who) => t.match(await who(ann), { role: 'admin', rooms: null }, 'as it began'));
});

t.test('one phone does not shut out the operators who share its address', async (t) => {
  const s = await entryStage(t);
  const { cookie } = await s.begin();
  const attempts = Array.from({ length: 150 }, (_, i) => s.complete('?code=x&state=y', i % 2 === 0 ? cookie : ''));
  for (const { status } of await Promise.all(attempts)) if (status !== 400) t.fail(`status ${status}`);
  for (const { cookie } of await Promise.all(Array.from({ length: 150 }, () => s.begin()))) if (!cookie) t.fail();
  t.equal((await s.enter('ann')).status, 200);
});

t.test('each address asks the provider for a limited number of sign-ins, and may try again later', async (t) => {
  const s = await entryStage(t);
  const { address, cookie } = await s.begin();
  const query = `?code=invented&state=${new URL(address).searchParams.get('state')}`;
  const answers = await Promise.all(Array.from({ length: 150 }, () => s.complete(query, cookie)));
  const count = (code: string) => answers.filter(({ body }) => body.type === `urn:pollcast:${code}`).length;
  t.ok(count('sign-in-refused') >= 60);
  t.ok(count('too-many-requests') > 0);
  t.equal(count('sign-in-refused') + count('too-many-requests'), 150);
});

t.test('programs send access tokens of the provider, if an audience is set', async (t) => {
  const s = await entryStage(t, { oidcAudience: AUDIENCE });
  const token = await s.provider.accessToken();
  const { status, body } = await s.as(token, 'GET', '/api/operator');
  t.equal(status, 200);
  t.match(body.operator, { name: 'oidc:pollcast', role: 'auditor', session: false });
  t.equal((await s.as(token, 'GET', '/api/audit-trail')).status, 200);
  t.equal((await s.as(token, 'POST', '/api/polls/q/open')).status, 403);
  const { records } = (await s.call('GET', '/api/audit-trail', { operator: true })).body;
  t.match(records[0], { who: 'oidc:pollcast', issuer: s.provider.issuer, code: 'not-allowed' });
  t.equal((await s.as(await s.provider.accessToken('urn:another:api'), 'GET', '/api/operator')).status, 401);
  t.equal((await s.as(`${token.slice(0, -3)}AAA`, 'GET', '/api/operator')).status, 401);
  t.equal((await s.as(`${token.split('.').slice(0, 2).join('.')}.`, 'GET', '/api/operator')).status, 401);
  await s.stop();
  const without = await entryStage(t);
  t.equal((await without.as(await without.provider.accessToken(), 'GET', '/api/operator')).status, 401);
});

t.test('a secret in a file is used, and one that cannot be read ends the start', async (t) => {
  const file = join(emptyFolder(t), 'client-secret');
  const start = () => entryStage(t, { oidcClientSecret: '', oidcClientSecretFile: file });
  await t.rejects(start(), /POLLCAST_OIDC_CLIENT_SECRET_FILE: .*cannot be read \(ENOENT\)/);
  writeFileSync(file, '\n');
  await t.rejects(start(), /POLLCAST_OIDC_CLIENT_SECRET_FILE: .*is empty/);
  writeFileSync(file, 'secret-of-the-client/+:\n');
  t.equal((await (await start()).enter('ann')).status, 200);
});

t.test('a sign-in goes on at another dashboard, and a session that ends there ends at both', async (t) => {
  const directory = t.testdir();
  const at = (name: string) => {
    const path = join(directory, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const redis = await redisServer(at('redis'));
  t.teardown(() => redis.program.end());
  const publicUrl = 'https://votes.example.org';
  const provider = await identity(t, [`${publicUrl}/signed-in`]);
  const settings = signInSettings(provider.issuer, publicUrl);
  const env: Record<string, string> = { POLLCAST_REDIS_URL: redis.url };
  for (const [name, value] of Object.entries(settings))
    env[`POLLCAST_${name.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()}`] = value;
  const servers = [1, 2].map((i) => new Server(at(`dashboard-${i}`), { command: 'dashboard', env }));
  for (const server of servers) t.teardown(() => server.kill());
  await Promise.all(servers.map((server) => server.start()));
  const [here, there] = servers.map(({ http }) => entrance(http, provider, publicUrl));
  if (!here || !there) return t.fail('two dashboards');
  const { address, cookie } = await here.begin();
  const { search } = await provider.visit(address, 'bob');
  const { status, body } = await there.complete(search, cookie);
  t.equal(status, 200);
  for (const node of [here, there]) t.equal((await node.as(body.token, 'GET', '/api/operator')).status, 200);
  const again = await here.complete(search, cookie);
  t.ok([400, 403].includes(again.status), 'not twice, wherever');
  const { token } = (await here.enter('ann')).body;
  t.equal((await here.as(token, 'DELETE', `/api/operators/${body.token.split('.')[0]}`)).status, 204);
  for (const node of [here, there]) t.equal((await node.as(body.token, 'GET', '/api/operator')).status, 401);
  t.equal((await there.as(token, 'DELETE', '/api/session')).status, 204);
  for (const node of [here, there]) t.equal((await node.as(token, 'GET', '/api/operator')).status, 401);
});
