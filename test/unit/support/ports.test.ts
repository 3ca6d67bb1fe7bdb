import { createServer } from 'node:net';
import t from 'tap';
import { onOwnPorts } from '../../support/ports.ts';

t.test('ports are consecutive and assigned only once, and other ports are tried if one is in use', async (t) => {
  const given = await Promise.all(Array.from({ length: 40 }, () => onOwnPorts(3, async (...ports: number[]) => ports)));
  t.equal(new Set(given.flat()).size, 120);
  t.ok(given.every(([first = 0, ...more]) => more.every((port, i) => port === first + 1 + i)));

  const tried: number[] = [];
  const port = await onOwnPorts(1, async (port) => {
    tried.push(port);
    if (tried.length < 3) throw new Error('bind: Address already in use');
    return port;
  });
  t.equal(new Set(tried).size, 3);
  t.equal(port, tried[2]);
  await t.rejects(
    onOwnPorts(1, async () => {
      throw new Error('no such file');
    }),
    /no such file/,
  );
});

t.test('a port that is in use is not assigned', async (t) => {
  const [next = 0] = await onOwnPorts(1, async (port) => [port + 1]);
  const server = createServer().listen(next, '127.0.0.1');
  t.teardown(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  t.not(await onOwnPorts(1, async (port) => port), next);
});
