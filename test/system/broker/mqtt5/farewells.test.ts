import { connectAsync } from 'mqtt';
import t from 'tap';
import { eventually } from '../../../support/eventually.ts';
import { bytesOf, connectPacket, openLine, spaced } from '../../../support/network/line.ts';
import { connect5 } from '../../../support/network/line5.ts';
import { redisServer } from '../../../support/servers.ts';
import { stage } from '../../../support/stage.ts';
import { withPoll } from '../devices.ts';

t.setTimeout(120_000);

for (const via of ['tcp', 'ws'] as const) {
  t.test(`${via}: the newer connection takes over, and the older one hears why`, async (t) => {
    const redis = await redisServer(t.testdir());
    t.teardown(() => redis.program.end());
    const here = await stage(t, { redisUrl: redis.url }, `${t.testdirName}/here`);
    const there = await stage(t, { redisUrl: redis.url }, `${t.testdirName}/there`);
    for (const [name, other] of [
      ['same broker', here],
      ['other broker', there],
    ] as const) {
      const first = await connect5(t, here, 'd', {}, via);
      const second = await connect5(t, other, 'd', {}, via);
      t.equal((await first.farewell())?.reasonCode, 0x8e, `5 by 5, ${name}`);
      const old = await openLine(t, other, via);
      old.send(connectPacket('d'));
      t.equal(await old.next(4), '20 02 00 00');
      t.equal((await second.farewell())?.reasonCode, 0x8e, `5 by 3.1.1, ${name}`);
      const third = await connect5(t, other, 'd', {}, via);
      await old.closed();
      t.equal(spaced(old.received()), '20 02 00 00', 'a client of MQTT 3.1.1 is told nothing');
      await third.leave();
    }
  });

  t.test(`${via}: a device hears why its connection ends`, async (t) => {
    const s = await stage(t, { door: 'devices' });
    const { body } = await s.call('POST', '/api/devices', { operator: true, body: { device: 'seat-1' } });
    const login = { username: 'seat-1', password: body.secret };
    const removed = await connect5(t, s, 'seat-1', login, via);
    await s.call('DELETE', '/api/devices/seat-1', { operator: true });
    t.equal((await removed.farewell())?.reasonCode, 0x98);
    const { body: again } = await s.call('POST', '/api/devices', { operator: true, body: { device: 'seat-1' } });
    const now = { username: 'seat-1', password: again.secret };
    const silent = await connect5(t, s, 'seat-1', { ...now, keepalive: 1 }, via);
    t.equal((await silent.farewell())?.reasonCode, 0x8d);
    const large = await connect5(t, s, 'seat-1', now, via);
    // More than one read, so that input is left when the connection is closed.
    large.line.send(Buffer.concat([Buffer.from([0x30, 0xff, 0xff, 0x03]), Buffer.alloc(60_000)]));
    t.equal((await large.farewell())?.reasonCode, 0x95);
    const stopped = await connect5(t, s, 'seat-1', now, via);
    await s.stop();
    t.equal((await stopped.farewell())?.reasonCode, 0x8b);
  });
}

t.test('mqtt.js hears why, too', async (t) => {
  const s = await withPoll(t);
  const url = `${s.http.replace('http', 'ws')}/mqtt`;
  for (const address of [s.mqtt, url]) {
    const client = await connectAsync(address, { clientId: 'd', protocolVersion: 5, reconnectPeriod: 0 });
    const codes: (number | undefined)[] = [];
    client.on('disconnect', ({ reasonCode }) => codes.push(reasonCode));
    await s.device('d');
    await eventually('DISCONNECT', async () => (codes.length > 0 ? true : undefined));
    t.same(codes, [0x8e]);
  }
});

t.test('a vote that cannot be stored is not acknowledged; the device hears that the broker is busy', async (t) => {
  const redis = await redisServer(t.testdir());
  t.teardown(() => redis.program.end());
  const s = await stage(t, { redisUrl: redis.url });
  await s.openPoll('q');
  const device = await connect5(t, s, 'd');
  await device.vote('a');
  await redis.program.end();
  device.send({ cmd: 'publish', topic: 'vote/q', payload: 'b', qos: 1, messageId: 9, dup: false, retain: false });
  t.equal((await device.farewell())?.reasonCode, 0x89);
  t.equal(device.packets.filter(({ cmd }) => cmd === 'puback').length, 1);
});

t.test('CONNECT that cannot be accepted is answered with the reason', async (t) => {
  const s = await withPoll(t);
  const HEAD = '00 04 4d 51 54 54 05 02 00 3c';
  for (const [name, text, code] of [
    ['authentication', `${HEAD} 04 15 00 01 61 00 01 61`, '8c'],
    ['Receive Maximum 0', `${HEAD} 03 21 00 00 00 01 61`, '82'],
    ['malformed properties', `${HEAD} 05 11 00 00 01 61`, '81'],
    ['the reserved flag', `${HEAD.replace('02 00 3c', '03 00 3c')} 00 00 01 61`, '81'],
    ['no client id and no user name', `${HEAD} 00 00 00`, '85'],
    ['no client id, session wanted', `${HEAD.replace('02 00 3c', '00 00 3c')} 00 00 00`, '85'],
  ] as const) {
    for (const via of ['tcp', 'ws'] as const) {
      const line = await openLine(t, s, via);
      const body = bytesOf(text);
      line.send(Buffer.concat([Buffer.from([0x10, body.length]), body]));
      await line.closed();
      t.match(spaced(line.received()), new RegExp(`^20 .. 00 ${code}`), `${name}: ${spaced(line.received())}`);
    }
  }
  const large = await openLine(t, s);
  large.send(Buffer.concat([Buffer.from([0x10, 0xff, 0x0f]), bytesOf(HEAD), Buffer.alloc(2_000)]));
  await large.closed();
  t.match(spaced(large.received()), /^20 .. 00 95/, 'a CONNECT that is too large');
});
