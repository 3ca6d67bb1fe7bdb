import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import fastify from 'fastify';
import { Registry } from 'prom-client';
import t, { type Test } from 'tap';
import { Descriptors } from '../../../core/process/descriptors.ts';
import { HttpServer, serverOptions } from '../../../core/process/http.ts';
import { Networks } from '../../../core/process/networks.ts';
import type { TakeOver } from '../../../core/process/sockets/first-bytes.ts';
import type { Serve } from '../../../core/process/sockets/node-internals.ts';
import { WaitingSockets } from '../../../core/process/waiting-sockets.ts';
import { createLog } from '../../../core/runtime/log.ts';
import { eventually } from '../../support/eventually.ts';

const LIMITS = { perCaller: 1_000, total: 1_000, freshMs: 100, bodyMs: 10_000, bodyBytesPerSecond: 1_000, everyMs: 50 };
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

/** A server that answers `answer <length of the body>`, and a handler that sees the first bytes of each connection. */
async function serve(t: Test, takeOver: TakeOver, waiting?: ConstructorParameters<typeof WaitingSockets>[1]) {
  const log = createLog('silent');
  const app = fastify({ forceCloseConnections: true, ...serverOptions(undefined) });
  app.get('/', async () => 'answer 0');
  app.post('/', async ({ body }) => `answer ${(body as string).length}`);
  const metrics = new Registry();
  const descriptors = new Descriptors({ limit: undefined, wanted: 0, metrics, log });
  const sockets = new WaitingSockets({ proxies: new Networks([]), descriptors, metrics, log }, waiting);
  t.teardown(() => sockets.close());
  const served = dearParsers(app.server);
  const upgrades = { '/mqtt': (_request: unknown, socket: { end(text: string): unknown }) => socket.end('upgraded') };
  const server = await HttpServer.open(app, { host: '127.0.0.1', port: 0, upgrades, descriptors, sockets, takeOver });
  const open = async () => {
    const socket = connect(server.port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    let text = '';
    socket.on('error', () => {}).on('data', (part: Buffer) => (text += part));
    await once(socket, 'connect');
    return { socket, has: (what: string) => eventually(what, async () => text.includes(what) || undefined) };
  };
  return { server, sockets, served, open };
}

/** Makes each parser of a server cost half a millisecond. @returns the turns of the event loop in which connections have got theirs */
function dearParsers(server: Server): () => number[] {
  const serve = server.listeners('connection').find(({ name }) => name === 'connectionListener') as Serve;
  server.removeListener('connection', serve);
  const turns: number[] = [];
  let turn = 0;
  let isNextDue = false;
  server.on('connection', function connectionListener(this: Server, socket: Socket) {
    turns.push(turn);
    const endMs = performance.now() + 0.5;
    while (performance.now() < endMs);
    serve.call(this, socket);
    if (isNextDue) return;
    isNextDue = true;
    setImmediate(() => {
      turn++;
      isNextDue = false;
    });
  });
  return () => turns;
}

t.test('who takes a connection over has it for itself, and others are served as always', async (t) => {
  const seen: string[] = [];
  const taken: Socket[] = [];
  const { server, open } = await serve(t, (socket, first) => {
    seen.push(first.toString());
    if (!first.toString().startsWith('MINE')) return false;
    taken.push(socket);
    socket.on('error', () => {}).on('data', (bytes: Buffer) => socket.write(`heard ${bytes}`));
    return true;
  });
  const mine = await open();
  mine.socket.write('MINE');
  await eventually('the connection', async () => taken[0]);
  mine.socket.write('more');
  await mine.has('heard more');

  const plain = await open();
  plain.socket.write(GET);
  await plain.has('answer 0');
  plain.socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n"123"');
  await plain.has('answer 3');

  const dribbling = await open();
  for (const part of ['G', 'ET / HT', 'TP/1.1\r\nHost', ': x\r\n\r', '\n']) {
    dribbling.socket.write(part);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await dribbling.has('answer 0');

  const large = await open();
  const body = JSON.stringify('x'.repeat(200_000));
  large.socket.write(
    `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await large.has('answer 200000');

  const upgraded = await open();
  upgraded.socket.write('GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
  await upgraded.has('upgraded');

  const broken = await open();
  broken.socket.write('nonsense\r\n\r\n');
  await broken.has('400');
  t.ok(seen.includes('MINE') && seen.includes(GET) && seen.includes('G'), 'only the first bytes are shown');
  t.notOk(seen.includes('more'));
  for (const socket of taken) socket.destroy();
  await server.close();
});

t.test(
  'a silent connection is served once it speaks, ends when its client ends it, and does not keep the server',
  async (t) => {
    let shown = 0;
    const { server, served, open } = await serve(
      t,
      () => {
        shown++;
        return false;
      },
      { ...LIMITS, freshMs: 300 },
    );
    const late = await open();
    const ending = await open();
    ending.socket.end();
    await once(ending.socket, 'close');
    const resetting = await open();
    resetting.socket.resetAndDestroy();
    // The server gets it meanwhile.
    await eventually('a parser', async () => served().length > 0 || undefined);
    late.socket.write(GET);
    await late.has('answer 0');
    t.equal(shown, 0);
    const silent = await open();
    await server.close();
    await once(silent.socket, 'close');
  },
);

t.test('many silent connections get their parsers in many turns', async (t) => {
  const { server, served, open } = await serve(t, () => false, LIMITS);
  await Promise.all(Array.from({ length: 60 }, open));
  await eventually('the parsers', async () => served().length === 60 || undefined);
  const perTurn = new Map<number, number>();
  for (const turn of served()) perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1);
  t.ok(Math.max(...perTurn.values()) <= 10, `${[...perTurn.values()]}`);
  await server.close();
});

t.test('silent connections that are cut because there are too many never get a parser', async (t) => {
  const limits = { ...LIMITS, perCaller: 8, total: 16, freshMs: 1_200 };
  const { server, sockets, served, open } = await serve(t, () => false, limits);
  await Promise.all(Array.from({ length: 60 }, open));
  await eventually('the cuts', async () => sockets.size === 8 || undefined);
  await eventually('the parsers', async () => served().length >= 8 || undefined);
  t.equal(served().length, 8);
  await server.close();
});
