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

t.test('what changes nothing is not recorded, and nobody fills the trail with actions', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await s.openPoll('q', { room: 'hall' });
  const token = await created(s, 'ann', 'presenter', { rooms: ['hall'] });
  const headers = { authorization: `Bearer ${token}` };
  const step = async (name: string) =>
    (await fetch(`${s.http}/api/polls/q/${name}`, { method: 'POST', headers })).status;
  for (const name of ['hide', 'hide', 'hide', 'show', 'show', 'hide']) t.equal(await step(name), 200);
  const actions = async (): Promise<string[]> =>
    (await s.call('GET', '/api/audit-trail?limit=500', { operator: true })).body.records
      .filter(({ who, outcome }: { who: string; outcome: string }) => who === 'ann' && outcome === 'done')
      .map(({ action }: { action: string }) => action)
      .reverse();
  t.same(await actions(), ['poll.hide', 'poll.show', 'poll.hide']);

  const statuses: number[] = [];
  for (let i = 0; i < 40; i++) {
    statuses.push(...(await Promise.all(Array.from({ length: 10 }, (_, j) => step(j % 2 ? 'hide' : 'show')))));
  }
  t.ok(statuses.includes(429));
  // As many as at once, and those for which there is an allowance again meanwhile.
  t.ok((await actions()).length < 350);
  t.equal((await s.call('POST', '/api/polls/q/close', { operator: true })).status, 200, 'others are not kept out');
});

t.test('a stream shows an operator nothing of a poll that has moved to a room out of reach', async (t) => {
  const s = await stage(t, { door: 'devices' });
  const authorization = `Bearer ${await created(s, 'ann', 'operator', { rooms: ['hall'] })}`;
  const paths = ['/api/polls/q/stream', '/api/stream?polls=other,q', '/api/rooms/hall/stream'];
  for (const again of [false, true]) {
    for (const poll of ['q', 'other'])
      await s.call('POST', '/api/polls', { operator: true, body: draft(poll, 'hall') });
    const streams = await Promise.all(paths.map((path) => watch(t, s.http + path, { authorization })));
    const mine = await watch(t, `${s.http}/api/polls/q/stream`, s.operator);
    if (again) {
      await s.call('DELETE', '/api/polls/q', { operator: true });
      await s.call('POST', '/api/polls', { operator: true, body: draft('q', 'cellar') });
    } else await s.call('PATCH', '/api/polls/q', { operator: true, body: { room: 'cellar' } });
    await s.call('POST', '/api/polls/q/open', { operator: true });
    await eventually('the poll in the stream of all rooms', async () =>
      mine.events.some(({ data }) => data.status === 'open') ? true : undefined,
    );
    const [one, several, room] = streams as [typeof mine, typeof mine, typeof mine];
    await eventually('the end', async () => (one.isEnded() && several.isEnded() ? true : undefined));
    for (const { events } of [one, several, room]) {
      t.notOk(events.some(({ data }) => data.poll === 'q' && data.status === 'open'));
    }
    t.notOk(mine.isEnded());
    t.notOk(room.isEnded(), 'the room has other polls');
    for (const poll of ['q', 'other']) {
      await s.call('POST', `/api/polls/${poll}/close`, { operator: true });
      await s.call('DELETE', `/api/polls/${poll}`, { operator: true });
    }
  }
});
