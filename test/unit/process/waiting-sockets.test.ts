import { once } from 'node:events';
import { connect } from 'node:net';
import fastify from 'fastify';
import { Registry } from 'prom-client';
import t, { type Test } from 'tap';
import { Descriptors } from '../../../core/process/descriptors.ts';
import { HttpServer, serverOptions, type Upgrades } from '../../../core/process/http.ts';
import { Networks } from '../../../core/process/networks.ts';
import { WaitingSockets } from '../../../core/process/waiting-sockets.ts';
import { createLog } from '../../../core/runtime/log.ts';
import { eventually } from '../../support/eventually.ts';

const log = createLog('silent');
const LIMITS = {
  perCaller: 4,
  total: 8,
  freshMs: 0,
  bodyMs: 300,
  bodyBytesPerSecond: 1_000,
  everyMs: 20,
};

type Opened = Awaited<ReturnType<Awaited<ReturnType<typeof serve>>['open']>>;

async function serve(t: Test, limits: Partial<typeof LIMITS> = {}, proxies: readonly string[] = [], limit?: number) {
  const app = fastify({ forceCloseConnections: true, ...serverOptions(undefined) });
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  app.get('/', async () => 'answer');
  app.get('/slow', async () => finished.then(() => 'answer'));
  app.post('/', async () => 'posted');
  const metrics = new Registry();
  const descriptors = new Descriptors({ limit, wanted: 0, metrics, log });
  const parts = { proxies: new Networks(proxies), descriptors, metrics, log };
  const sockets = new WaitingSockets(parts, { ...LIMITS, ...limits });
  t.teardown(() => sockets.close());
  const upgrades: Upgrades = { '/mqtt': (_request, socket) => socket.resume().on('end', () => socket.end()) };
  const server = await HttpServer.open(app, { host: '0.0.0.0', port: 0, upgrades, descriptors, sockets });
  t.teardown(() => server.close());
  const open = async (localAddress = '127.0.0.1', first = '') => {
    const socket = connect({ port: server.port, host: '127.0.0.1', localAddress });
    t.teardown(() => socket.destroy());
    let text = '';
    socket.on('error', () => {}).on('data', (part: Buffer) => (text += part));
    await once(socket, 'connect');
    if (first !== '') socket.write(first);
    return { socket, text: () => text, isCut: () => socket.closed };
  };
  const cuts = async (why: string) =>
    Number(new RegExp(`pollcast_http_cut_total\\{why="${why}"\\} (\\d+)`).exec(await metrics.metrics())?.[1]);
  const answers = async (address: string) => {
    const { text } = await open(address, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually('an answer', async () => (text().includes('200 OK') ? true : undefined));
  };
  return { server, sockets, open, cuts, answers, finish };
}

t.test('the oldest idle connections of an address go first, and those of others stay', async (t) => {
  const s = await serve(t);
  const good = await s.open('127.0.0.2');
  const idle: Opened[] = [];
  for (let i = 0; i < 20; i++) idle.push(await s.open());
  await eventually('the others to be cut', async () =>
    idle.filter(({ isCut }) => !isCut()).length <= LIMITS.perCaller ? true : undefined,
  );
  t.notOk(idle.at(-1)?.isCut(), 'the newest stays');
  t.notOk(good.isCut());
  t.equal(await s.cuts('idle'), 16);
  await s.answers('127.0.0.2');
  await s.answers('127.0.0.1');
});

t.test('connections of many addresses are limited together', async (t) => {
  const s = await serve(t);
  const all: Opened[] = [];
  for (let i = 1; i <= 30; i++) all.push(await s.open(`127.0.1.${i}`));
  await eventually('the others to be cut', async () =>
    all.filter(({ isCut }) => !isCut()).length <= LIMITS.total ? true : undefined,
  );
  t.ok(s.sockets.size <= LIMITS.total);
  t.same(all.map(({ isCut }) => isCut()).lastIndexOf(true), 30 - LIMITS.total - 1, 'the oldest go');
});

t.test('connections of a trusted proxy belong to many', async (t) => {
  const s = await serve(t, { total: 20 }, ['127.0.0.0/8']);
  const all: Opened[] = [];
  for (let i = 0; i < 10; i++) all.push(await s.open());
  await s.answers('127.0.0.1');
  t.notOk(all.some(({ isCut }) => isCut()));
});

t.test('what is being answered, streamed or spoken in MQTT is not waiting', async (t) => {
  const s = await serve(t);
  const busy = await s.open('127.0.0.1', 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
  const mqtt = await s.open(
    '127.0.0.1',
    'GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
  );
  await eventually('both requests', async () => (s.sockets.size === 0 ? true : undefined));
  const idle: Opened[] = [];
  for (let i = 0; i < 20; i++) idle.push(await s.open());
  await eventually('the others to be cut', async () =>
    idle.filter(({ isCut }) => !isCut()).length <= LIMITS.perCaller ? true : undefined,
  );
  t.notOk(busy.isCut());
  t.notOk(mqtt.isCut());
  s.finish();
  await eventually('the answer', async () => (busy.text().includes('200 OK') ? true : undefined));
  // A server does not close before what it has handed over.
  mqtt.socket.destroy();
});

t.test('bodies that dribble in are cut, and those that come fast enough are not', async (t) => {
  const s = await serve(t, { perCaller: 100, total: 200 });
  const head = (bytes: number) =>
    `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${bytes}\r\n\r\n`;
  const slow = await Promise.all(Array.from({ length: 10 }, () => s.open('127.0.0.1', `${head(10_000)}"`)));
  const chunked = await s.open(
    '127.0.0.1',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n"\r\n',
  );
  const fast = await s.open('127.0.0.2', `${head(4_002)}"`);
  const timer = setInterval(() => {
    for (const { socket } of slow) socket.write('x');
    chunked.socket.write('1\r\nx\r\n');
  }, 50);
  t.teardown(() => clearInterval(timer));
  for (let i = 0; i < 8; i++) {
    fast.socket.write('x'.repeat(500));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  fast.socket.write('"');
  await eventually('the answer', async () => (fast.text().includes('200 OK') ? true : undefined));
  await eventually('the slow ones to be cut', async () =>
    [...slow, chunked].every(({ isCut }) => isCut()) ? true : undefined,
  );
  t.equal(await s.cuts('slow-body'), 11);
});

t.test('when descriptors are scarce, a new connection takes the place of the oldest that waits', async (t) => {
  const s = await serve(t, { perCaller: 1_000, total: 1_000, freshMs: 60_000 }, [], 200);
  const idle: Opened[] = [];
  for (let i = 0; i < 150; i++) idle.push(await s.open());
  await s.answers('127.0.0.2');
  t.ok((await s.cuts('descriptors')) >= 46);
  t.ok(idle[0]?.isCut());
  t.notOk(idle.at(-1)?.isCut());
});

t.test('a refused upgrade leaves no connection behind', async (t) => {
  const s = await serve(t);
  const other = await s.open(
    '127.0.0.1',
    'GET /other HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
  );
  await eventually('the refusal', async () => (other.text().includes('404') ? true : undefined));
  await eventually('the end', async () => (other.isCut() ? true : undefined));
  const behind = await s.open(
    '127.0.0.1',
    `GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
  );
  await eventually('the end', async () => (behind.isCut() ? true : undefined));
});
