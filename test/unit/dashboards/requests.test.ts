import { once } from 'node:events';
import { connect } from 'node:net';
import fastify from 'fastify';
import { Registry } from 'prom-client';
import t, { type Test } from 'tap';
import { Descriptors } from '../../../core/process/descriptors.ts';
import { HttpServer, MAX_PIPELINED } from '../../../core/process/http.ts';
import { Networks } from '../../../core/process/networks.ts';
import { WaitingSockets } from '../../../core/process/waiting-sockets.ts';
import { createLog } from '../../../core/runtime/log.ts';
import { Requests } from '../../../dashboards/api/requests.ts';
import { SlowReaders } from '../../../dashboards/api/slow-readers.ts';
import { eventually } from '../../support/eventually.ts';

const log = createLog('silent');

async function serve(t: Test) {
  const app = fastify({ forceCloseConnections: true });
  const [requests, slowReaders] = [new Requests(), new SlowReaders(log, () => {})];
  requests.follow(app);
  slowReaders.follow(app);
  let answered = 0;
  // Stands for a stream: while it goes on, nothing else that was asked on its connection is sent.
  app.get('/stream', (_request, reply) => void reply.hijack());
  app.get('/some', async () => `answer ${++answered} ${'x'.repeat(10_000)}`);
  const metrics = new Registry();
  const descriptors = new Descriptors({ limit: undefined, wanted: 0, metrics, log });
  const sockets = new WaitingSockets({ proxies: new Networks([]), descriptors, metrics, log });
  t.teardown(() => sockets.close());
  const server = await HttpServer.open(app, { host: '127.0.0.1', port: 0, descriptors, sockets });
  t.teardown(() => server.close());
  const open = async () => {
    const socket = connect(server.port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  return { open, requests, slowReaders, answered: () => answered };
}

const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

t.test('requests behind one that never ends are forgotten with their connection', async (t) => {
  const { open, requests, slowReaders, answered } = await serve(t);
  for (let i = 1; i <= 20; i++) {
    const socket = await open();
    socket.write(ask('/stream') + ask('/some').repeat(10));
    await eventually('the answers', async () => (answered() === i * 10 ? true : undefined));
    socket.destroy();
  }
  await eventually('no requests', async () => (requests.size === 0 && slowReaders.size === 0 ? true : undefined));
  await requests.drain();
  t.equal(requests.size, 0);
});

t.test('a connection that asks for more answers than it takes is closed', async (t) => {
  const { open, requests, slowReaders, answered } = await serve(t);
  const socket = await open();
  const closed = once(socket, 'close');
  socket.resume();
  socket.write(ask('/stream') + ask('/some').repeat(1_000));
  await closed;
  t.ok(answered() < MAX_PIPELINED, `${answered()} were answered`);
  await eventually('no requests', async () => (requests.size === 0 && slowReaders.size === 0 ? true : undefined));
});

t.test('requests that wait for the answer before do not count', async (t) => {
  const { open } = await serve(t);
  const socket = await open();
  let text = '';
  socket.on('data', (part: Buffer) => (text += part));
  for (let i = 1; i <= 2 * MAX_PIPELINED; i++) {
    socket.write(ask('/some'));
    await eventually('the answer', async () => (text.split('HTTP/1.1 200').length === i + 1 ? true : undefined));
  }
  t.notOk(socket.destroyed);
});
