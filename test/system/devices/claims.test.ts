/** Claim codes: exchanged once for the secret of a device. */
import t from 'tap';
import { parseCode } from '../../../core/devices/claims/code.ts';
import { type Stage, stage } from '../../support/stage.ts';

const register = async (s: Stage, device: string, more: object = {}): Promise<string> =>
  (await s.call('POST', '/api/devices', { operator: true, body: { device, ...more } })).body.secret;
const issue = async (s: Stage, device: string, body: object = {}) =>
  s.call('POST', `/api/devices/${device}/claim`, { operator: true, body });
const exchange = (s: Stage, code: string) => s.call('POST', '/api/claim', { body: { code } });

t.test('a code is exchanged once, and the secret lets the device in', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await s.openPoll('q');
  const before = await register(s, 'clicker-1', { label: 'Red' });
  const issued = await issue(s, 'clicker-1');
  t.match([issued.status, issued.body], [201, { device: 'clicker-1', label: 'Red', expiresAt: null }]);
  t.match(issued.body.code, /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/);
  const listed = (await s.call('GET', '/api/devices/clicker-1', { operator: true })).body;
  t.same(listed.claim, { expiresAt: null });
  t.notMatch(JSON.stringify(listed), issued.body.code);

  const old = await s.device('clicker-1', { username: 'clicker-1', password: before });
  const closed = old.closed();
  const typed = ` ${issued.body.code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')}`;
  const claimed = await exchange(s, typed);
  t.match([claimed.status, claimed.body], [200, { device: 'clicker-1', label: 'Red' }]);
  t.equal(claimed.headers.get('cache-control'), 'no-store');
  await closed;
  await t.rejects(s.device('clicker-1', { username: 'clicker-1', password: before }), { code: 4 });
  const device = await s.device('clicker-1', { username: 'clicker-1', password: claimed.body.secret });
  await device.vote('vote/q', 'a');
  t.match((await exchange(s, issued.body.code)).status, 403, 'once');
  t.equal((await s.call('GET', '/api/devices/clicker-1', { operator: true })).body.claim, null);
});

t.test('of many exchanges at once, exactly one succeeds', async (t) => {
  const s = await stage(t, { door: 'devices' });
  for (let i = 0; i < 3; i++) {
    await register(s, `d${i}`);
    const { code } = (await issue(s, `d${i}`)).body;
    const answers = await Promise.all(Array.from({ length: 12 }, () => exchange(s, code)));
    t.same(answers.map(({ status }) => status).sort(), [200, ...Array.from({ length: 11 }, () => 403)]);
    const secret = answers.find(({ status }) => status === 200)?.body.secret;
    await s.device(`d${i}`, { username: `d${i}`, password: secret });
  }
});

t.test('codes that are wrong, replaced, withdrawn, expired or of a removed device get the same answer', async (t) => {
  const s = await stage(t, { door: 'devices' });
  const secret = await register(s, 'd');
  const first = (await issue(s, 'd')).body.code;
  const second = (await issue(s, 'd')).body.code;
  const wrong = second.slice(0, -1) + (second.endsWith('A') ? 'B' : 'A');
  const answers = [await exchange(s, first), await exchange(s, wrong), await exchange(s, '0000-0000-0000')];
  answers.push(await exchange(s, 'no code at all'), await exchange(s, ''));
  t.equal((await s.call('DELETE', '/api/devices/d/claim', { operator: true })).status, 204);
  answers.push(await exchange(s, second));
  const third = (await issue(s, 'd')).body.code;
  await s.call('DELETE', '/api/devices/d', { operator: true });
  answers.push(await exchange(s, third));
  await register(s, 'd');
  answers.push(await exchange(s, third));
  const fourth = await issue(s, 'd', { expiresInSeconds: 60 });
  t.ok(Date.parse(fourth.body.expiresAt) > Date.now());
  const { registry } = s.pollcast.store;
  const kept = await registry.get<Record<string, object>>('devices', 'd');
  const claim = { ...kept?.value.claim, untilMs: Date.now() - 1 };
  await registry.put('devices', 'd', { ...kept?.value, claim });
  answers.push(await exchange(s, fourth.body.code));
  const details = new Set(answers.map(({ status, body }) => `${status} ${body.type} ${body.detail}`));
  t.equal(details.size, 1, [...details].join('\n'));
  t.match([...details][0], /^403 urn:pollcast:wrong-code this code is wrong, was used before/);
  await t.rejects(s.device('d', { username: 'd', password: secret }), { code: 4 });
});

t.test(
  'codes and secrets are issued for many devices at once, and those that are not registered are named',
  async (t) => {
    const s = await stage(t, { door: 'devices' });
    const ids = Array.from({ length: 30 }, (_, i) => `d${i}`);
    const devices = ids.map((device) => ({ device, label: `Seat ${device}` }));
    await s.call('POST', '/api/devices/import', { operator: true, body: { devices } });
    const post = (path: string, body: object) => s.call('POST', path, { operator: true, body });
    const issued = await post('/api/devices/claims', { devices: [...ids, 'nobody', 'd0'], expiresInSeconds: 3_600 });
    t.equal(issued.status, 201);
    t.same(
      issued.body.claims.map(({ device }: { device: string }) => device),
      ids,
      'each once, in the order of the request',
    );
    t.match(issued.body.claims[3], { device: 'd3', label: 'Seat d3', code: /^[0-9A-Z-]{14}$/, expiresAt: /Z$/ });
    t.match(issued.body.refused, [{ device: 'nobody', code: 'no-such-device' }]);
    const claimed = await exchange(s, issued.body.claims[3].code);
    await s.device('d3', { username: 'd3', password: claimed.body.secret });
    const known = (await s.call('GET', '/api/devices/d3', { operator: true })).body;
    t.match([known.claim, known.claimedAt], [null, /Z$/], 'it is known that the code was used');
    t.match((await s.call('GET', '/api/devices/d4', { operator: true })).body, { claim: {}, claimedAt: null });

    const renewed = await post('/api/devices/secrets', { devices: ['d3', 'nobody', 'd5'], graceSeconds: 0 });
    t.match([renewed.status, renewed.body.refused], [201, [{ device: 'nobody', code: 'no-such-device' }]]);
    const [third] = renewed.body.secrets;
    t.match(third, { device: 'd3', oldSecretUntil: null });
    await s.device('d3', { username: 'd3', password: third.secret });
    await t.rejects(s.device('d3', { username: 'd3', password: claimed.body.secret }), { code: 4 });
    for (const path of ['/api/devices/claims', '/api/devices/secrets']) {
      t.equal((await post(path, { devices: [] })).status, 400);
      t.equal((await post(path, { devices: Array.from({ length: 201 }, (_, i) => `x${i}`) })).status, 400);
      t.equal((await s.call('POST', path, { body: { devices: ['d1'] } })).status, 401);
    }
    const { records } = (await s.call('GET', '/api/audit-trail', { operator: true })).body;
    const trail = JSON.stringify(records);
    t.match(trail, /device\.claim[^}]*issued[^}]*30/);
    for (const { code } of issued.body.claims) t.notMatch(trail, code);
    t.notMatch(trail, third.secret);
  },
);

t.test('as many devices are revoked together as are imported together', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await register(s, 'd');
  const devices = Array.from({ length: 4_999 }, (_, i) => `device-with-a-rather-long-identifier-${i}`);
  const { status, body } = await s.call('POST', '/api/devices/revoke', {
    ...{ operator: true, body: { devices: [...devices, 'd'] } },
  });
  t.same([status, body.revoked, body.unknown.length], [200, ['d'], 4_999]);
});

t.test('issuing and withdrawing is for operators, and needs a device', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await register(s, 'd');
  for (const [method, path, body] of [
    ['POST', '/api/devices/d/claim', {}],
    ['POST', '/api/devices/d/secret', {}],
    ['POST', '/api/devices/revoke', { devices: ['d'] }],
    ['DELETE', '/api/devices/d/claim', undefined],
  ] as const) {
    t.equal((await s.call(method, path, { body })).status, 401, path);
  }
  t.equal((await issue(s, 'nobody')).status, 404);
  t.equal((await issue(s, 'd', { expiresInSeconds: 5 })).status, 400);
  const { status } = await s.call('POST', '/api/devices/nobody/secret', { operator: true, body: {} });
  t.equal(status, 404);
});

t.test('guessing is limited by address', async (t) => {
  const s = await stage(t, { door: 'devices' });
  const answers = await Promise.all(Array.from({ length: 130 }, () => exchange(s, '0000-0000-0000')));
  t.same([...new Set(answers.map(({ status }) => status))].sort(), [403, 429]);
});

t.test('a new secret replaces the old one when it is first used', async (t) => {
  const s = await stage(t, { door: 'devices' });
  const old = await register(s, 'd');
  const enter = (password: string) => s.device('d', { username: 'd', password });
  const renew = async (body: object = {}) =>
    (await s.call('POST', '/api/devices/d/secret', { operator: true, body })).body;
  const live = await enter(old);
  const { secret: next, oldSecretUntil } = await renew();
  t.ok(Date.parse(oldSecretUntil) > Date.now());
  await live.vote('vote/q', 'a');
  t.ok(live.client.connected, 'what is connected stays');
  const again = await enter(old);
  const closed = again.closed();
  await enter(next);
  await closed;
  await t.rejects(enter(old), { code: 4 }, 'the old secret has ended');
  t.equal((await s.call('GET', '/api/devices/d', { operator: true })).body.oldSecretUntil, null);

  const [lost, last] = [(await renew()).secret, (await renew()).secret];
  await t.rejects(enter(lost), { code: 4 }, 'only the newest one counts');
  await enter(last);
  const cut = (await enter(last)).closed();
  const { secret: now, oldSecretUntil: none } = await renew({ graceSeconds: 0 });
  t.equal(none, null);
  await cut;
  await t.rejects(enter(last), { code: 4 });
  const ended = (await enter(now)).closed();

  await renew({ graceSeconds: 3_600 });
  const { registry } = s.pollcast.store;
  const kept = await registry.get<Record<string, object>>('devices', 'd');
  await registry.put('devices', 'd', { ...kept?.value, next: { ...kept?.value.next, untilMs: Date.now() - 1 } });
  await ended;
  await t.rejects(
    enter(now),
    { code: 4 },
    'after its time, the old secret has ended, too, and what is connected with it',
  );
});

t.test('many connections that use a new secret at once', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await register(s, 'd');
  const { secret } = (await s.call('POST', '/api/devices/d/secret', { operator: true, body: {} })).body;
  const authorization = `Basic ${Buffer.from(`d:${secret}`).toString('base64')}`;
  await s.openPoll('q', { visibility: 'voted' });
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => fetch(`${s.http}/api/polls/q/result`, { headers: { authorization } })),
  );
  t.notOk(answers.some(({ status }) => status === 401));
});

t.test('a list or a group of devices is revoked together', async (t) => {
  const s = await stage(t, { door: 'devices' });
  const ids = Array.from({ length: 150 }, (_, i) => `d${i}`);
  const devices = ids.map((device, i) => ({ device, group: i % 2 ? 'odd' : 'even' }));
  const answer = (await s.call('POST', '/api/devices/import', { operator: true, body: { devices } })).body;
  const secrets = new Map<string, string>(
    answer.devices.map(({ device, secret }: Record<string, string>) => [device, secret]),
  );
  const enter = (id: string) => s.device(id, { username: id, password: secrets.get(id) ?? '' });
  const [odd, even] = [await enter('d1'), await enter('d2')];
  const [oddClosed, evenClosed] = [odd.closed(), even.closed()];
  const revoke = (body: object) => s.call('POST', '/api/devices/revoke', { operator: true, body });
  t.equal((await revoke({})).status, 400);
  t.equal((await revoke({ devices: ['d1'], group: 'odd' })).status, 400);
  const group = await revoke({ group: 'odd' });
  t.same([group.status, group.body.revoked.length, group.body.unknown], [200, 75, []]);
  await oddClosed;
  t.ok(even.client.connected);
  const list = await revoke({ devices: [...ids, 'nobody', 'd2'] });
  t.same([list.body.revoked.length, list.body.unknown.length], [75, 76]);
  await evenClosed;
  t.same((await s.call('GET', '/api/devices', { operator: true })).body.devices, []);
  await t.rejects(enter('d2'), { code: 4 });
  t.same((await revoke({ group: 'odd' })).body, { revoked: [], unknown: [] });
});

t.test('codes are read as people type them', async (t) => {
  t.same(parseCode('7k2m-q9xd-4tbn'), { handle: '7K2M', rest: 'Q9XD4TBN' });
  t.same(parseCode('  OIL2 – q9xd – 4tbn '), { handle: '0112', rest: 'Q9XD4TBN' });
  for (const wrong of ['', '7K2M', '7K2M-Q9XD-4TBU', '7K2M-Q9XD-4TBN-0', '7K2M_Q9XD_4TBN']) {
    t.equal(parseCode(wrong), undefined, wrong);
  }
});
