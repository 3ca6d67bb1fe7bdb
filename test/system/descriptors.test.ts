import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import mqtt from 'mqtt';
import t from 'tap';
import { eventually } from '../support/eventually.ts';
import { Server } from '../support/process.ts';

const LIMIT = 256;
const CLIENTS = 400;

t.test('with few descriptors, monitoring and voting go on, and what is refused is said', async (t) => {
  const server = new Server(t.testdir(), { descriptors: LIMIT });
  t.teardown(() => server.kill());
  await server.start('--demo');
  t.match(server.output, /limit of open files is lower than the settings need/);
  const clients: Socket[] = [];
  t.teardown(() => {
    for (const client of clients) client.destroy();
  });
  const device = await mqtt.connectAsync(server.mqtt, { clientId: 'first', protocolVersion: 4 });
  t.teardown(() => device.endAsync(true));
  const flood = async (port: number, first: string) => {
    const opened = Array.from({ length: CLIENTS }, () => connect(port, '127.0.0.1'));
    for (const client of opened) {
      client.on('error', () => {}).resume();
      client.write(first);
    }
    clients.push(...opened);
    await Promise.all(
      opened.map((client) => (client.connecting ? once(client, 'connect').catch(() => {}) : undefined)),
    );
  };
  for (const [what, port, first] of [
    ['devices', server.mqttPort, ''],
    ['viewers', server.httpPort, 'GET /api/polls/demo/stream HTTP/1.1\r\nhost: localhost\r\n\r\n'],
  ] as const) {
    await flood(port, first);
    for (let time = 0; time < 10; time++) {
      const answer = await fetch(`${server.http}/health`, { signal: AbortSignal.timeout(5_000) });
      t.equal(answer.status, 200, `health answers among ${CLIENTS} ${what}`);
      await answer.text();
    }
    await device.publishAsync('vote/demo', 'a', { qos: 1 });
    t.pass('a vote is stored and acknowledged');
    if (what === 'devices') {
      const next = await mqtt.connectAsync(server.mqtt, { clientId: 'next', protocolVersion: 4, reconnectPeriod: 0 });
      await next.publishAsync('vote/demo', 'b', { qos: 1 });
      await next.endAsync();
      t.pass('a device gets in, because silent connections go first');
    }
    const metrics = await (await fetch(`${server.http}/metrics`)).text();
    const label = what === 'devices' ? 'mqtt' : 'http';
    const refused = Number(
      new RegExp(`^pollcast_descriptors_refused_total\\{port="${label}"\\} (\\d+)$`, 'm').exec(metrics)?.[1],
    );
    t.ok(refused > 0, `${refused} ${what} were refused`);
    t.ok(Number(/^process_open_fds (\d+)$/m.exec(metrics)?.[1]) < LIMIT, 'some are left');
    for (const client of clients.splice(0)) client.destroy();
  }
  t.equal(server.output.split('\n').filter((line) => line.includes('nearly reached')).length, 1, 'one line');
  t.equal(
    server.output.split('\n').filter((line) => line.includes('"why":"stranger"')).length,
    1,
    'and one for devices',
  );
  await eventually('room again', async () => {
    const late = await mqtt.connectAsync(server.mqtt, { clientId: 'late', reconnectPeriod: 0 }).catch(() => undefined);
    await late?.endAsync();
    return late && true;
  });
  t.equal(await server.stop(), 0);
});

t.test('with too few descriptors to work at all, the process does not start, and says what to do', async (t) => {
  const server = new Server(t.testdir(), { descriptors: 180 });
  await t.rejects(server.start(), /limit of open files is 180, but at least 192 are needed; raise it \(ulimit -n\)/);
});
