import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import tls from 'node:tls';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import t from 'tap';
import { Handshakes } from '../../../broker/handshakes.ts';
import { Tls } from '../../../core/process/tls/tls.ts';
import { eventually } from '../../support/eventually.ts';
import { hall } from '../../support/hall.ts';

t.test('when too many handshakes are under way, the oldest is cut, and others get in', async (t) => {
  const h = await hall(t);
  const files = { ...h.mutual, tlsClients: 'optional' as const };
  const certificates = await Tls.open({ files, metrics: new Registry(), log: pino({ level: 'silent' }) });
  t.teardown(() => certificates.close());
  const failures: string[] = [];
  const handshakes = new Handshakes(certificates, (why) => failures.push(why), 5);
  let secured = 0;
  const server = createServer((socket) => handshakes.begin(socket, () => secured++)).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const silent = [];
  for (let i = 0; i < 5; i++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    await Promise.all([once(socket, 'connect'), once(server, 'connection')]);
    const closed = once(socket.resume(), 'close');
    silent.push({ socket, closed });
    t.teardown(() => socket.destroy());
  }
  for (let i = 1; i <= 3; i++) {
    const secure = tls.connect({ port, host: '127.0.0.1', ca: h.ca });
    t.teardown(() => secure.destroy());
    await once(secure, 'secureConnect');
    await eventually('the end of the handshake', async () => secured === i || undefined);
  }
  await silent[0]?.closed;
  t.equal(secured, 3);
  t.same(failures, ['5 handshakes are under way, so the oldest was cut'], 'one, because the others were soon done');
  t.notOk(silent.slice(1).some(({ socket }) => socket.destroyed));
});
