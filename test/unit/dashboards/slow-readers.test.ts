import { once } from 'node:events';
import { connect } from 'node:net';
import fastify from 'fastify';
import t, { type Test } from 'tap';
import { createLog } from '../../../core/runtime/log.ts';
import { SlowReaders } from '../../../dashboards/api/slow-readers.ts';
import { eventually } from '../../support/eventually.ts';

const SIZE = 32 * 1024 * 1024;

async function serve(t: Test, limits: ConstructorParameters<typeof SlowReaders>[2]) {
  const app = fastify({ forceCloseConnections: true });
  let cut = 0;
  new SlowReaders(createLog('silent'), () => cut++, limits).follow(app);
  app.get('/large', async () => Buffer.alloc(SIZE));
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => app.close());
  const address = app.server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const ask = async () => {
    const socket = connect(port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
    return socket;
  };
  return { ask, cuts: () => cut };
}

t.test('a client that does not read its answer is cut; one that reads gets all of it', async (t) => {
  const { ask, cuts } = await serve(t, { everyMs: 20, stallMs: 500, unreadBytes: 10 * SIZE });
  const idle = await ask();
  idle.pause();
  await eventually('the cut', async () => (cuts() === 1 ? true : undefined));
  const reader = await ask();
  let bytes = 0;
  reader.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await eventually('the whole answer', async () => (bytes > SIZE ? true : undefined));
  t.equal(cuts(), 1);
});

t.test('unread answers together take no more than the limit', async (t) => {
  const { ask, cuts } = await serve(t, { everyMs: 20, stallMs: 600_000, unreadBytes: 2.5 * SIZE });
  for (let i = 0; i < 5; i++) (await ask()).pause();
  await eventually('the cuts', async () => (cuts() >= 2 ? true : undefined));
  t.ok(cuts() <= 3, 'only as many as necessary');
});
