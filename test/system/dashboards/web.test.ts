import { request } from 'node:http';
import t from 'tap';
import { stage } from '../../support/stage.ts';

/** The status and headers of an answer to a request with headers that `fetch` does not let programs set. */
function answer(url: string, headers: Record<string, string>, method = 'GET') {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false });
    asked.on('error', reject);
    asked.on('response', (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    });
    asked.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    });
    asked.end();
  });
}

const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-protocol': 'mqtt',
};

t.test('at an open door, pages of other sites can neither vote nor use the API', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const page = `${s.http}/api/polls`;
  const mqtt = `${s.http}/mqtt`;
  t.equal((await answer(mqtt, UPGRADE)).status, 101, 'a program');
  t.equal((await answer(mqtt, { ...UPGRADE, origin: s.http })).status, 101, 'the voting page');
  const foreign: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { host: 'evil.example' },
  ];
  for (const headers of foreign) {
    t.equal((await answer(mqtt, { ...UPGRADE, ...headers })).status, 403, JSON.stringify(headers));
    t.equal((await answer(page, headers)).status, 403, JSON.stringify(headers));
    for (const path of ['/%61pi/polls/q', '/api/poll%73', '/ap%69/polls/q/stream', '/%61%70%69/devices'])
      t.equal((await answer(s.http + path, headers)).status, 403, `${path} ${JSON.stringify(headers)}`);
    t.equal((await answer(`${s.http}/api/rooms/main/join`, headers, 'POST')).status, 403, JSON.stringify(headers));
  }
  t.equal((await answer(page, { origin: s.http })).status, 200);
});

t.test('caches keep nothing of the API, and the API’s page works over plain HTTP', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  for (const path of [
    '/api/polls',
    '/api/polls/q/result',
    '/%61pi/polls',
    '/ap%69/polls/q',
    '/api/polls/nope',
    '/api/devices',
  ])
    t.match((await fetch(s.http + path, { headers: s.operator })).headers.get('cache-control'), /no-store/, path);
  const policy = (await fetch(`${s.http}/docs/`)).headers.get('content-security-policy') ?? '';
  t.match(policy, /script-src 'self'/);
  t.notMatch(policy, 'upgrade-insecure-requests');
});
