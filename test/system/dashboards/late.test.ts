/** What an operator may do, and see, is checked when it happens, not only when the request or stream began. */
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { eventually } from '../../support/eventually.ts';
import { type Stage, stage } from '../../support/stage.ts';
import { watch } from './viewer.ts';

async function created(s: Stage, operator: string, role: string, more: object = {}): Promise<string> {
  const answer = await s.call('POST', '/api/operators', { operator: true, body: { operator, role, ...more } });
  return answer.body.token;
}

/** Sends the head of a request and a part of its body. @returns sends the rest, and resolves with the answer */
async function begin(t: Test, s: Stage, token: string, request: string, body: object): Promise<() => Promise<string>> {
  const text = JSON.stringify(body);
  const { hostname, port } = new URL(s.http);
  const socket = connect(Number(port), hostname);
  t.teardown(() => socket.destroy());
  let answer = '';
  socket.on('data', (part) => (answer += part.toString()));
  socket.on('error', () => {});
  const head = [
    `${request} HTTP/1.1`,
    `host: ${hostname}:${port}`,
    `authorization: Bearer ${token}`,
    'content-type: application/json',
    `content-length: ${text.length}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${text.slice(0, 5)}`);
  // By the time of the answer on another connection, the head has been read.
  for (let i = 0; i < 5; i++) await s.call('GET', '/api/operators', { operator: true });
  return async () => {
    socket.write(text.slice(5));
    return eventually('the answer', async () => (answer.includes('\r\n\r\n') ? answer : undefined));
  };
}

const draft = (poll: string, room: string) => ({
  ...{ poll, title: 'Q?', room, visibility: 'operator' },
  options: ['a', 'b'].map((key) => ({ key, label: key })),
});

t.test('an operator who is revoked while a body arrives does nothing any more', async (t) => {
  const s = await stage(t, { door: 'devices' });
  const token = await created(s, 'eve', 'admin');
  const finish = await begin(t, s, token, 'POST /api/operators', { operator: 'mallory', role: 'admin' });
  await s.call('DELETE', '/api/operators/eve', { operator: true });
  t.match(await finish(), /^HTTP\/1\.1 401 [\s\S]*wrong-token/);
  const { operators } = (await s.call('GET', '/api/operators', { operator: true })).body;
  t.same(operators, []);
});

t.test('an operator of some rooms does not change a poll that leaves them while a body arrives', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await s.call('POST', '/api/polls', { operator: true, body: draft('q', 'hall') });
  const token = await created(s, 'ann', 'operator', { rooms: ['hall'] });
  const finish = await begin(t, s, token, 'PATCH /api/polls/q', { title: 'Another' });
  await s.call('PATCH', '/api/polls/q', { operator: true, body: { room: 'cellar' } });
  t.match(await finish(), /^HTTP\/1\.1 403 [\s\S]*not-allowed/);
  t.match((await s.call('GET', '/api/polls/q', { operator: true })).body, { title: 'Q?' });
});

t.test('a wrong token is refused and counted on every route, also where none is needed', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await s.openPoll('q', { room: 'hall' });
  const routes = ['/api/rooms/hall', '/api/polls', '/api/polls/q', '/api/guests/me', '/api/rooms/hall/stream'];
  for (const path of routes) {
    const { status } = await fetch(s.http + path, { headers: { authorization: 'Bearer nobody.knows' } });
    t.equal(status, 401, path);
  }
  t.match((await s.call('GET', '/metrics')).body, /pollcast_wrong_credentials_total\{who="operator"\} 5/);
  const { device, password } = (await s.call('POST', '/api/rooms/hall/join', { body: {} })).body;
  const authorization = `Basic ${Buffer.from(`${device}:${password}`).toString('base64')}`;
  for (const path of ['/api/rooms/hall', '/api/guests/me', '/api/polls/q/result']) {
    t.equal((await fetch(s.http + path, { headers: { authorization } })).status, 200, path);
  }
});
