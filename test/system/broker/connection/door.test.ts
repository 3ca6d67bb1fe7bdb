import { once } from 'node:events';
import { connect } from 'node:net';
import mqtt from 'mqtt';
import { generate } from 'mqtt-packet';
import t from 'tap';
import { stage } from '../../../support/stage.ts';

t.test('the devices door admits only registered devices and guests, each under its own client id', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await s.openPoll('q', { room: 'hall' });
  const { body } = await s.call('POST', '/api/devices', { operator: true, body: { device: 'seat-1' } });
  const { secret } = body as { secret: string };
  const login = (username: string | undefined, password: string | undefined, clientId = 'seat-1') =>
    s.device(clientId, { ...(username ? { username } : {}), ...(password ? { password } : {}) });
  await t.rejects(login(undefined, undefined), { code: 4 });
  await t.rejects(login('seat-1', 'wrong-secret-of-some-length'), { code: 4 });
  await t.rejects(login('seat-1', undefined), { code: 4 });
  await t.rejects(login('seat-2', secret, 'seat-2'), { code: 4 });
  await t.rejects(login('seat-1', secret, 'seat-9'), { code: 2 }, 'a secret is valid for one client id only');
  const device = await login('seat-1', secret);
  await device.vote('vote/q', 'a');

  const guest = (await s.call('POST', '/api/rooms/hall/join')).body;
  const phone = await s.device(guest.clientId, { username: guest.username, password: guest.password });
  await phone.vote(guest.topics.vote, 'b');
  await t.rejects(s.device('guest-000', { username: 'guest-000', password: guest.password }), { code: 4 });
  t.same(
    (await s.resultAfter('q', 2)).options.map(({ count }) => count),
    [1, 1, 0],
  );

  const closed = device.closed();
  t.equal((await s.call('DELETE', '/api/devices/seat-1', { operator: true })).status, 204);
  await closed;
  await t.rejects(login('seat-1', secret), { code: 4 }, 'a revoked device is refused');
});

/** The code in the CONNACK for an empty client id; the connection must then be closed. */
async function answerToNobody(port: number, clean: boolean, login: { username?: string; password?: Buffer } = {}) {
  const socket = connect(port, '127.0.0.1');
  const closed = once(socket, 'close');
  socket.write(
    generate({
      cmd: 'connect',
      clientId: '',
      protocolVersion: 4,
      protocolId: 'MQTT',
      clean: true,
      keepalive: 60,
      ...login,
    }).map((byte, i) => (i === 9 && !clean ? byte & ~2 : byte)),
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  await closed;
  return [...answer];
}

for (const door of ['open', 'devices'] as const) {
  t.test(`an empty client id is refused, with and without a clean session; door ${door}`, async (t) => {
    const s = await stage(t, { door });
    const port = s.pollcast.mqttPort;
    const login = { username: 'seat-1', password: Buffer.from('some-secret-of-a-seat') };
    for (const clean of [true, false]) {
      t.same(await answerToNobody(port, clean), [0x20, 2, 0, 2], `clean session ${clean}`);
      t.same(await answerToNobody(port, clean, login), [0x20, 2, 0, 2], `clean session ${clean}, with credentials`);
    }
    const url = `${s.http.replace('http', 'ws')}/mqtt`;
    await t.rejects(
      mqtt.connectAsync(url, { clientId: '', clean: true, protocolVersion: 4, reconnectPeriod: 0 }, false),
      { code: 2 },
      'over WebSocket',
    );
  });
}
