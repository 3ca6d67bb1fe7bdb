/** Streams that begin without the HTTP server: nobody may notice, except by the time and memory that they take. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import * as v8 from 'node:v8';
import t, { type Test } from 'tap';
import { PERMISSIONS, type Rule } from '../../../dashboards/api/permissions/table.ts';
import { eventually } from '../../support/eventually.ts';
import { hall } from '../../support/hall.ts';
import { type Stage, stage } from '../../support/stage.ts';
import { vote, watch } from './viewer.ts';

/** A header that the HTTP server has to look at. */
const UNUSUAL = { 'x-something': 'x' };

/** Counts the requests that reach the HTTP server. */
function countRequests(t: Test): () => number {
  let requests = 0;
  const onRequest = () => {
    requests++;
  };
  subscribe('http.server.request.start', onRequest);
  t.teardown(() => unsubscribe('http.server.request.start', onRequest));
  return () => requests;
}

/** Sends a request as it stands on a connection of its own. */
async function send(t: Test, s: Stage, request: string, ca?: string) {
  const to = { port: s.pollcast.httpPort, host: '127.0.0.1', allowHalfOpen: true };
  const socket = ca === undefined ? connect(to) : connectSecurely({ ...to, ca });
  t.teardown(() => socket.destroy());
  let text = '';
  socket.on('error', () => {}).on('data', (part: Buffer) => (text += part));
  await once(socket, ca === undefined ? 'connect' : 'secureConnect');
  socket.write(request);
  return {
    socket,
    text: () => text,
    has: (what: string) => eventually(what, async () => text.includes(what) || undefined),
  };
}

const viewers = async (s: Stage, count: number) =>
  eventually(`${count} viewers`, async () => {
    const { body } = await s.call('GET', '/metrics');
    return new RegExp(`^pollcast_viewers ${count}$`, 'm').test(body) || undefined;
  });

const begun = async (s: Stage, way: string) => {
  const { body } = await s.call('GET', '/metrics');
  return Number(new RegExp(`^pollcast_streams_begun_total{way="${way}"} (\\d+)$`, 'm').exec(body)?.[1]);
};

/** Opens a stream of each form, so that further ones need no HTTP server. */
async function warm(t: Test, s: Stage): Promise<void> {
  const { response } = await watch(t, `${s.http}/api/polls/q/stream`);
  response.destroy();
  await viewers(s, 0);
}

t.test('every form of stream has the same head and events with and without the HTTP server', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { room: 'hall' });
  await vote(s, 'd', 'q', 'a');
  await s.resultAfter('q', 1);
  const requests = countRequests(t);
  for (const path of ['/api/polls/q/stream', '/api/polls/q/stream?changes=compact', '/api/rooms/hall/stream']) {
    for (const form of ['identity', 'gzip']) {
      const open = async (headers: Record<string, string>) => {
        const before = requests();
        const viewer = await watch(t, s.http + path, { 'accept-encoding': form, ...headers });
        const event = await eventually('a result', async () => viewer.events.find(({ event }) => event === 'result'));
        return { viewer, head: viewer.response.rawHeaders, event, requests: requests() - before };
      };
      t.equal(
        (await open({})).requests,
        1,
        'the first of each route and form begins in the HTTP server, which makes its head',
      );
      const straight = await open({});
      const other = await open(UNUSUAL);
      t.equal(straight.requests, 0, `${path} needs no HTTP server`);
      t.equal(other.requests, 1);
      const withoutDate = (head: string[]) => head.map((part) => (/ GMT$/.test(part) ? 'a date' : part));
      t.same(withoutDate(straight.head), withoutDate(other.head));
      t.ok(straight.head.some((part) => / GMT$/.test(part)));
      t.same(straight.event.data, other.event.data);
      t.equal(straight.event.id, other.event.id);
    }
  }
  await vote(s, 'e', 'q', 'b');
  await s.call('POST', '/api/polls/q/close', { operator: true });
  const { events, response } = await watch(t, `${s.http}/api/polls/q/stream`);
  await eventually('the final result', async () => events.find(({ data }) => data.final));
  response.destroy();
});

t.test('limits and refusals are the same without the HTTP server', async (t) => {
  const s = await stage(t, { maxViewersPerAddress: '3', requestsPerSecond: '1' });
  await s.openPoll('q');
  await warm(t, s);
  const open = [await watch(t, `${s.http}/api/polls/q/stream`), await watch(t, `${s.http}/api/polls/q/stream`)];
  open.push(await watch(t, `${s.http}/api/polls/q/stream`));
  await viewers(s, 3);
  const refused = await watch(t, `${s.http}/api/polls/q/stream`);
  t.match([refused.response.statusCode, refused.response.headers['retry-after']], [429, /^\d+$/]);
  open[0]?.response.destroy();
  await viewers(s, 2);
  const next = await watch(t, `${s.http}/api/polls/q/stream`);
  t.equal(next.response.statusCode, 200, 'a place that was left is taken again');
  t.equal((await watch(t, `${s.http}/api/polls/none/stream`)).response.statusCode, 404);
  const wrong = await send(t, s, 'GET /api/polls/q/stream HTTP/1.1\r\nHost: evil.example\r\n\r\n');
  await wrong.has('foreign-page');
  // Whatever is left of the allowance for requests, the way of the HTTP server counts as well.
  for (const { response } of [...open, next]) response.destroy();
  await viewers(s, 0);
  const answers = [];
  for (let i = 0; i < 12; i++) {
    const { response } = await watch(t, `${s.http}/api/polls/q/stream`);
    answers.push(response.statusCode);
    response.destroy();
  }
  t.ok(answers.includes(429), `${answers}`);
});

t.test('a stream ends with its client, which may say anything meanwhile', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  await warm(t, s);
  const requests = countRequests(t);
  const get = 'GET /api/polls/q/stream HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const talking = await send(t, s, get);
  await talking.has('event: result');
  talking.socket.write(`${get}${'nonsense'.repeat(10_000)}`);
  await vote(s, 'd', 'q', 'a');
  await talking.has('event: change');
  t.equal(talking.text().split('HTTP/1.1').length, 2, 'nothing else is answered');
  t.equal(requests(), 0);
  talking.socket.end();
  await viewers(s, 0);
  const resetting = await send(t, s, get);
  await resetting.has('event: result');
  resetting.socket.resetAndDestroy();
  await viewers(s, 0);
});

t.test('viewers that do not read their streams do not keep the process from stopping', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  await warm(t, s);
  const requests = countRequests(t);
  const get = 'GET /api/polls/q/stream HTTP/1.1\r\nHost: localhost\r\n\r\n';
  // A client that keeps its half of the connection open, and one whose buffers are full.
  const staying = await send(t, s, get);
  await staying.has('event: result');
  t.equal(requests(), 0);
  const silent = connect(s.pollcast.httpPort, '127.0.0.1');
  silent.on('error', () => {});
  const startMs = Date.now();
  t.equal(await s.pollcast.stop(), true);
  t.ok(Date.now() - startMs < 5_000, `stopping took ${Date.now() - startMs} ms`);
  await staying.has('\r\n0\r\n\r\n');
});

t.test('a stream goes on while another request is queued behind it', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const get = 'GET /api/polls/q/stream HTTP/1.1\r\nHost: localhost\r\n\r\n';
  for (const first of [get + get, get.replace('Host', 'X-Something: x\r\nHost') + get]) {
    const viewer = await send(t, s, first);
    await viewer.has('event: result');
    const before = viewer.text().length;
    await vote(s, `d${before}`, 'q', 'a');
    await eventually('a change', async () => viewer.text().slice(before).includes('event: change') || undefined);
    viewer.socket.destroy();
  }
});

/** A plain request. */
const plain = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;

t.test(
  'only what the table of permissions leaves to anyone, and does not record, begins without the HTTP server',
  async (t) => {
    const s = await stage(t);
    await s.openPoll('q', { room: 'hall' });
    const table = PERMISSIONS as Record<string, Rule>;
    for (const [route, path] of [
      ['GET /api/polls/:poll/stream', '/api/polls/q/stream'],
      ['GET /api/rooms/:room/stream', '/api/rooms/hall/stream'],
    ] as const) {
      const was = table[route] as Rule;
      t.teardown(() => Object.assign(table, { [route]: was }));
      await (await send(t, s, plain(path))).has('event: result');
      const requests = countRequests(t);
      await (await send(t, s, plain(path))).has('event: result');
      t.equal(requests(), 0, path);
      table[route] = { ...was, roles: ['operator'] };
      await (await send(t, s, plain(path))).has('HTTP/1.1 401');
      t.equal(requests(), 1);
      table[route] = { ...was, isRecorded: true };
      await (await send(t, s, plain(path))).has('event: result');
      t.equal(requests(), 2);
      delete table[route];
      await send(t, s, plain(path));
      await eventually('a request', async () => requests() === 3 || undefined);
      table[route] = was;
      await (await send(t, s, plain(path))).has('event: result');
      t.equal(requests(), 3);
    }
    t.ok((await begun(s, 'straight')) >= 4);
    t.ok((await begun(s, 'server')) >= 4);
  },
);

t.test('over TLS as well', async (t) => {
  const { ca, server } = await hall(t);
  const s = await stage(t, { ...server });
  await s.openPoll('q');
  const get = plain('/api/polls/q/stream');
  await (await send(t, s, get, ca)).has('event: result');
  const requests = countRequests(t);
  const straight = await send(t, s, get, ca);
  await straight.has('event: result');
  t.equal(requests(), 0);
  const { vote } = await s.device('d');
  await vote('vote/q', 'a');
  await straight.has('event: change');
  straight.socket.end();
  await viewers(s, 1);
  const last = await send(t, s, get, ca);
  await last.has('event: result');
  await s.stop();
  await last.has('\r\n0\r\n\r\n');
});

t.test('behind a trusted proxy, the client that it names has the place and the allowance', async (t) => {
  const s = await stage(t, { trustedProxies: '127.0.0.1', maxViewersPerAddress: '2', requestsPerSecond: '1' });
  await s.openPoll('q');
  const ask = (client: string) => send(t, s, plain('/api/polls/q/stream', `X-Forwarded-For: ${client}\r\n`));
  await (await ask('192.0.2.1')).has('event: result');
  const requests = countRequests(t);
  await (await ask('192.0.2.1')).has('event: result');
  // What a client says itself is before what the proxy adds.
  await (await ask('192.0.2.9, 192.0.2.2')).has('event: result');
  t.equal(requests(), 0);
  await (await ask('192.0.2.1')).has('too-many-streams');
  await (await ask('192.0.2.9, 192.0.2.1')).has('too-many-streams');
  t.equal(requests(), 2, 'what is refused is left to the HTTP server');
  await (await ask('192.0.2.9')).has('event: result');
  const texts = [];
  for (let i = 0; i < 12; i++) {
    const { socket, text, has } = await ask('192.0.2.3');
    await has('HTTP/1.1');
    texts.push(text());
    socket.destroy();
    await viewers(s, 4);
  }
  t.ok(
    texts.some((text) => text.includes('too-many-requests')),
    'the allowance of one client is spent',
  );
  await (await ask('192.0.2.4')).has('event: result');
});

// Node.js can count objects since 20.13.
const canCount = 'queryObjects' in v8;
t.test('streams that begin in the HTTP server keep nothing of it', { skip: !canCount }, async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const requests = countRequests(t);
  // Counts after a collection of garbage.
  const objects = () => Number(v8.queryObjects(IncomingMessage)) + Number(v8.queryObjects(ServerResponse));
  const before = objects();
  const request = 'GET /api/polls/q/stream HTTP/1.1\r\nHost: localhost\r\nX-Something: x\r\n\r\n';
  const all = await Promise.all(Array.from({ length: 20 }, () => send(t, s, request)));
  for (const { has } of all) await has('event: result');
  t.equal(requests(), 20);
  await eventually('no requests', async () => objects() < before + 20 || undefined);
  await vote(s, 'd', 'q', 'a');
  for (const { has, socket } of all) {
    await has('event: change');
    socket.destroy();
  }
});
