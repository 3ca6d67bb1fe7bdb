import { connect, createServer } from 'node:net';
import t from 'tap';
import { askEarly } from '../../../broker/accepting.ts';
import { Arrivals } from '../../../broker/admission/arrivals.ts';
import { eventually } from '../../support/eventually.ts';

t.test('what an address opens beyond its allowance is refused, but not what was let in', async (t) => {
  let refused = 0;
  const arrivals = new Arrivals(500, () => refused++);
  const arrive = () => arrivals.mayArrive('bad');
  for (let i = 0; i < 2_000; i++) if (!arrive()) t.fail(`refused after ${i}`);
  for (let i = 0; i < 10_000 && refused === 0; i++) arrive();
  t.equal(refused, 1);
  t.ok(arrivals.mayArrive('good'));
  t.ok(arrivals.mayArrive(undefined), 'behind a proxy that does not say for whom');
  for (let i = 0; i < 100; i++) arrivals.letIn('bad');
  for (let i = 0; i < 100; i++) if (!arrive()) t.fail(`refused after ${i} were let in`);
  const any = new Arrivals(0, () => t.fail('there is no limit'));
  for (let i = 0; i < 10_000; i++) any.mayArrive('bad');
});

t.test('a connection is refused before there is a socket for it', async (t) => {
  let sockets = 0;
  const server = createServer((socket) => {
    sockets++;
    socket.end('hello');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const asked: string[] = [];
  const isAsked = askEarly(server, (address) => {
    asked.push(address);
    return address !== '127.0.0.3';
  });
  t.ok(isAsked, 'in this version of Node.js');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const heard = async (localAddress: string) => {
    let text = '';
    let isClosed = false;
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    socket.on('error', () => {}).on('close', () => (isClosed = true));
    socket.on('data', (chunk) => (text += chunk));
    await eventually('the end', async () => (isClosed ? true : undefined));
    return text;
  };
  t.equal(await heard('127.0.0.2'), 'hello');
  t.equal(await heard('127.0.0.3'), '');
  t.equal(sockets, 1);
  t.same(asked, ['127.0.0.2', '127.0.0.3']);
});
