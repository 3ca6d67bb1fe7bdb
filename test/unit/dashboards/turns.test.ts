import { once } from 'node:events';
import { connect } from 'node:net';
import fastify from 'fastify';
import t from 'tap';
import { Turns } from '../../../dashboards/api/turns.ts';

t.test('connections take turns, and none waits behind all requests of another', async (t) => {
  const turns = new Turns(true);
  const order: string[] = [];
  const [one, other] = [{}, {}];
  const ask = (name: string, who: object) => turns.next(who).then(() => void order.push(name));
  await Promise.all([ask('a', one), ask('b', one), ask('c', one), ask('x', other)]);
  t.same(order, ['a', 'b', 'x', 'c'], 'the first at once, then in turn');
  await ask('y', other);
  t.same(order.at(-1), 'y', 'it begins again');
});

t.test('timers and packets are handled between two reads, however many wait', async (t) => {
  const turns = new Turns(true);
  let reads = 0;
  const all = Promise.all(Array.from({ length: 500 }, () => turns.next({}).then(() => reads++)));
  const seen: number[] = [];
  while (reads < 500) {
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(reads);
  }
  await all;
  const most = Math.max(...seen.map((count, i) => count - (seen[i - 1] ?? 0)));
  t.ok(most <= 2, `at most ${most} reads without other work in between`);
});

t.test('a connection may have a few reads waiting; further ones are refused', async (t) => {
  const app = fastify();
  const turns = new Turns(true);
  app.setErrorHandler((error: { code?: string }, _request, reply) => reply.code(503).send(error.code));
  turns.follow(app);
  app.get('/api/some', async () => 'answer');
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => app.close());
  const address = app.server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (chunk) => (text += chunk));
  const request = 'GET /api/some HTTP/1.1\r\nHost: x\r\n\r\n';
  socket.write(request.repeat(49) + request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  await once(socket, 'close');
  const answered = text.match(/HTTP\/1\.1 200/g)?.length ?? 0;
  const refused = text.match(/HTTP\/1\.1 503/g)?.length ?? 0;
  t.ok(answered >= 8 && refused > 0, `${answered} answered, ${refused} refused`);
  t.equal(answered + refused, 50);
});

t.test('what anybody may send waits for its turn, and what operators change does not', async (t) => {
  const app = fastify();
  const turns = new Turns(true);
  const order: string[] = [];
  turns.follow(app, ({ headers }) => headers.authorization !== undefined);
  for (const method of ['GET', 'POST'] as const) {
    app.route({
      method,
      url: '/api/:what',
      handler: async ({ params }) => order.push((params as { what: string }).what),
    });
  }
  const waiting = Array.from({ length: 20 }, () => turns.next({}).then(() => order.push('read')));
  const ask = (method: 'GET' | 'POST', url: string, headers = {}) => app.inject({ method, url, headers });
  const operator = { authorization: 'Bearer x' };
  await Promise.all([
    ask('POST', '/api/join'),
    ask('GET', '/api/list', operator),
    ask('POST', '/api/close', operator),
    ...waiting,
  ]);
  t.ok(order.indexOf('close') < order.lastIndexOf('read'), 'an operator');
  t.same(order.slice(-2).sort(), ['join', 'list']);
});
