import mqtt from 'mqtt';
import t, { type Test } from 'tap';
import { eventually } from '../../support/eventually.ts';
import { Caller } from '../../support/network/caller.ts';
import { Server, type ServerOptions } from '../../support/process.ts';

const ATTACKER = '127.0.0.1';
const GOOD = '127.0.0.2';

t.setTimeout(240_000);

async function serve(t: Test, options: ServerOptions) {
  const server = new Server(t.testdir(), options);
  t.teardown(() => server.kill());
  await server.start('--demo');
  const from = (address: string) => new Caller(t, server.httpPort, address);
  const [attacker, good] = [from(ATTACKER), from(GOOD)];
  const { token } = server;
  const metric = async (name: string) => {
    const text = (await good.ask('/metrics')).text();
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    return Number(line?.split(' ').at(-1) ?? Number.NaN);
  };
  const device = await mqtt.connectAsync(server.mqtt, { clientId: 'good', protocolVersion: 4 });
  t.teardown(() => device.endAsync(true));
  let votes = 0;
  /** A good viewer and an operator, the latter also behind the attacker’s address, get what they ask for; a vote counts. */
  const allIsWell = async (what: string) => {
    const viewer = await good.ask('/api/polls/demo/stream');
    t.equal(viewer.status, 200, `${what}: a viewer gets in`);
    for (const operator of [good, attacker]) {
      t.equal((await operator.ask('/api/operator', { token })).status, 200, `${what}: an operator is answered`);
      t.equal(
        (await operator.ask('/api/polls/demo/stream', { token })).status,
        200,
        `${what}: an operator gets a stream`,
      );
    }
    await device.publishAsync('vote/demo', 'ab'[votes++ % 2] as string, { qos: 1 });
    await eventually('the vote on screen', async () => (viewer.text().includes('event: change') ? true : undefined));
    t.equal((await good.ask('/health')).status, 200);
  };
  /** Lines of the log that mention something. */
  const lines = (what: string | RegExp) => server.output.split('\n').filter((line) => line.match(what));
  return { server, from, attacker, good, token, metric, allIsWell, lines };
}

const STREAM = 'GET /api/polls/demo/stream HTTP/1.1\r\nHost: localhost\r\n\r\n';

t.test('viewers that never read, and streams of rooms that do not exist, leave places for others', async (t) => {
  const s = await serve(t, { env: { POLLCAST_MAX_VIEWERS: '100' } });
  await s.attacker.flood(500, STREAM);
  for (let i = 0; i < 5; i++) {
    await s.attacker.flood(30, `GET /api/rooms/nowhere-${i}/stream HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  }
  await eventually('their places', async () => ((await s.metric('pollcast_viewers')) >= 60 ? true : undefined));
  const refused = await s.attacker.ask('/api/polls/demo/stream');
  t.match(refused, { status: 429, headers: { 'content-type': /^application\/problem\+json/ } });
  t.ok(Number(refused.headers['retry-after']) > 0);
  t.match(JSON.parse(refused.text()), {
    type: 'urn:pollcast:too-many-streams',
    detail: /POLLCAST_MAX_VIEWERS_PER_ADDRESS/,
  });
  t.equal((await s.attacker.ask('/api/rooms/nowhere/stream')).status, 404);
  t.equal((await s.good.ask('/api/rooms/nowhere/stream')).status, 200, 'a screen may be early');
  await s.allIsWell('500 viewers');

  const others = s.from('127.0.0.3');
  await others.flood(60, STREAM);
  const late = await eventually('no places', async () => {
    const answer = await s.from('127.0.0.4').ask('/api/polls/demo/stream');
    return answer.status === 503 ? answer : undefined;
  });
  t.ok(Number(late.headers['retry-after']) > 0);
  t.match(JSON.parse(late.text()), { type: 'urn:pollcast:too-many-viewers' });
  t.equal((await s.attacker.ask('/api/polls/demo/stream', { token: s.token })).status, 200, 'operators have a reserve');
  t.equal(s.lines('too-many-streams').length, 1, 'one warning');
  t.equal(s.lines('too-many-viewers').length, 1, 'one warning');
  t.same(s.lines('"stack"'), []);
  t.ok((await s.metric('pollcast_api_requests_refused_total{code="too-many-streams"}')) > 400);
  others.hangUp();
  s.attacker.hangUp();
  await eventually('places again', async () => ((await s.metric('pollcast_viewers')) < 10 ? true : undefined));
  t.equal((await s.attacker.ask('/api/polls/demo/stream')).status, 200);
});

t.test('reads in a loop are limited by address, and the operator behind it reads on', async (t) => {
  const s = await serve(t, { env: { POLLCAST_REQUESTS_PER_SECOND: '5' } });
  const paths = ['/api/polls', '/api/polls/demo/result', '/%61pi/polls', '/api/polls/nope', '/api/rooms/main'];
  const counts = new Map<number, number>();
  const startMs = Date.now();
  let isOver = false;
  const read = async (path: string) => {
    while (!isOver) {
      const { status, headers, text } = await s.attacker.ask(path);
      counts.set(status, (counts.get(status) ?? 0) + 1);
      if (status !== 429) continue;
      if (!(Number(headers['retry-after']) > 0)) throw new Error(JSON.stringify(headers));
      if (JSON.parse(text()).type !== 'urn:pollcast:too-many-requests') throw new Error(text());
    }
  };
  const reading = Promise.all([...paths, ...paths].map(read));
  await eventually('the limit', async () => ((counts.get(429) ?? 0) > 0 ? true : undefined));
  await s.allIsWell('reads in a loop');
  isOver = true;
  await reading;
  const allowed = 50 + (5 * (Date.now() - startMs)) / 1_000;
  const answered = (counts.get(200) ?? 0) + (counts.get(404) ?? 0);
  t.ok(answered <= allowed + 1, `${answered} of ${JSON.stringify([...counts])}`);
  t.equal(s.lines('too-many-requests').length, 1, 'one warning');
  t.ok((await s.metric('pollcast_api_requests_refused_total{code="too-many-requests"}')) > 0);
});

t.test('idle connections do not take the descriptors', async (t) => {
  const s = await serve(t, { descriptors: 256 });
  await s.attacker.flood(900);
  await s.allIsWell('900 idle connections');
  await s.attacker.flood(300, 'GET /api/polls HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await s.allIsWell('300 connections that are kept open');
  await s.attacker.flood(
    300,
    'GET /mqtt HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  );
  await s.allIsWell('300 upgrades without a key');
  const cut =
    (await s.metric('pollcast_http_cut_total{why="idle"}')) +
    (await s.metric('pollcast_http_cut_total{why="descriptors"}'));
  t.ok(cut > 500, `${cut} were cut`);
  t.ok(s.lines('an HTTP connection was cut').length <= 3, 'a few warnings');
});

t.test('slow heads and bodies are cut', async (t) => {
  const s = await serve(t, {});
  const post = 'Host: localhost\r\nContent-Type: application/json\r\n';
  const slow = [
    ...(await s.attacker.flood(100, `POST /api/polls HTTP/1.1\r\n${post}Content-Length: 1000\r\n\r\n{`)),
    ...(await s.attacker.flood(100, `POST /api/rooms/main/join HTTP/1.1\r\n${post}Transfer-Encoding: chunked\r\n\r\n`)),
    ...(await s.attacker.flood(100, 'GET /api/polls HTTP/1.1\r\n')),
    ...(await s.attacker.flood(100, 'GET /mqtt HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n')),
  ];
  const timer = setInterval(() => {
    for (const [i, socket] of slow.entries()) socket.write(i < 100 ? ' ' : i < 200 ? '1\r\n \r\n' : 'x');
  }, 1_000);
  t.teardown(() => clearInterval(timer));
  for (const socket of slow) socket.resume();
  await s.allIsWell('400 slow requests');
  await eventually('all of them to be cut', async () => (slow.every(({ closed }) => closed) ? true : undefined));
  t.ok((await s.metric('pollcast_http_cut_total{why="slow-headers"}')) >= 200);
  t.ok(s.lines('too slowly').length >= 1);
  t.same(s.lines('"stack"'), []);
});

t.test('wrong operator tokens are slowed down, refused, counted and logged, and the right one gets in', async (t) => {
  const s = await serve(t, {});
  const paths = [
    ...['/api/operator', '/api/polls', '/api/polls/demo/stream', '/api/rooms/main/stream', '/api/devices'],
    ...['/api/nothing', '/%61pi/nothing', '/api/', '/api?x', '/api/polls/demo/nothing'],
  ];
  const guess = (i: number) =>
    s.attacker.ask(paths[i % paths.length] as string, { token: `guessed-token-of-operator-${i}` });
  const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => guess(i)));
  const counts = new Map<number, number>();
  for (const { status, headers } of answers) {
    counts.set(status, (counts.get(status) ?? 0) + 1);
    if (status === 429) t.ok(Number(headers['retry-after']) > 0);
  }
  t.same([...counts.keys()].sort(), [401, 429], JSON.stringify([...counts]));
  t.ok((counts.get(401) ?? 0) <= 12);
  await s.allIsWell('60 guesses');
  t.equal((await s.good.ask('/api/operator', { token: 'guessed-token-of-operator-1' })).status, 401, 'by address');
  t.equal((await s.good.ask('/api/nothing')).status, 404, 'without a token');
  t.equal((await s.good.ask('/api/nothing', { token: s.token })).status, 404, 'with the right one');
  t.equal(await s.metric('pollcast_wrong_credentials_total{who="operator"}'), 61);
  t.equal(s.lines(/"level":"warn".*wrong operator token/).length, 2, 'one line for the first, one for many');
  t.match(s.lines('wrong operator token')[0], ATTACKER);
  t.notMatch(s.server.output, 'guessed-token', 'the log has no tokens, which may be the right one of another server');
});

t.test('the address of a client is that which a trusted proxy names', async (t) => {
  const s = await serve(t, {
    env: { POLLCAST_TRUSTED_PROXIES: '127.0.0.1', POLLCAST_MAX_VIEWERS: '20', POLLCAST_MAX_VIEWERS_PER_ADDRESS: '5' },
  });
  const behind = (client: string) => STREAM.replace('\r\n\r\n', `\r\nX-Forwarded-For: ${client}\r\n\r\n`);
  const viewers = async () => s.metric('pollcast_viewers');
  await s.attacker.flood(20, behind('198.51.100.7'));
  await eventually('5 viewers', async () => ((await viewers()) === 5 ? true : undefined));
  // A whole network of 64 bits is one caller.
  for (let i = 0; i < 10; i++) await s.attacker.flood(1, behind(`2001:db8::${i}`));
  await eventually('5 more', async () => ((await viewers()) === 10 ? true : undefined));
  await s.attacker.flood(5, behind('198.51.100.8'));
  await eventually('5 of another client', async () => ((await viewers()) === 15 ? true : undefined));
  // Nobody but the proxy may say so.
  const liar = s.from('127.0.0.9');
  for (let i = 0; i < 10; i++) await liar.flood(1, behind(`198.51.100.${100 + i}`));
  await eventually('5 of the liar', async () => ((await viewers()) === 20 ? true : undefined));
});

t.test('wrong credentials of devices are slowed down as well, and the right ones are let in', async (t) => {
  const s = await serve(t, {});
  const registered = await s.good.ask('/api/devices', { token: s.token, method: 'POST', body: { device: 'd' } });
  const { secret } = JSON.parse(registered.text()) as { secret: string };
  const ask = (secret: string) => s.attacker.ask('/api/polls/demo/result', { basic: `d:${secret}` });
  const answers = await Promise.all(Array.from({ length: 350 }, (_, i) => ask(`wrong-secret-of-device-${i}`)));
  t.same([...new Set(answers.map(({ status }) => status))].sort(), [401, 429]);
  t.equal((await ask(secret)).status, 200);
  t.equal(await s.metric('pollcast_wrong_credentials_total{who="device"}'), 350);
});
