/** Mutual TLS: a certificate says which device it is, until it is revoked. */
import mqtt, { type IClientOptions } from 'mqtt';
import t, { type Test } from 'tap';
import { eventually } from '../../support/eventually.ts';
import { emptyFolder } from '../../support/folder.ts';
import { endOf, type Hall, hall } from '../../support/hall.ts';
import { Server } from '../../support/process.ts';
import { redisServer } from '../../support/servers.ts';
import { type Stage, stage } from '../../support/stage.ts';

/** Connects, and resolves with what the client is refused with if it is. */
async function enter(t: Pick<Test, 'teardown'>, url: string, h: Hall, options: IClientOptions) {
  const more = { protocolVersion: 4, reconnectPeriod: 0, ca: h.ca } as const;
  const client = await mqtt.connectAsync(url, { ...more, ...options }, false);
  client.on('error', () => {});
  t.teardown(() => client.endAsync(true));
  return client;
}

const register = async (s: Stage, device: string): Promise<string> =>
  (await s.call('POST', '/api/devices', { operator: true, body: { device } })).body.secret;

const wss = (s: Stage) => `${s.http.replace('http', 'ws')}/mqtt`;

t.test('a certificate stands for the secret of the device that it names, and of no other', async (t) => {
  const h = await hall(t);
  const s = await stage(t, { ...h.mutual, door: 'devices' });
  await s.openPoll('q');
  const secret = await register(s, 'seat-1');
  await register(s, 'seat-2');
  const mine = await h.device('seat-1');
  const other = await hall(t);
  for (const url of [s.mqtt, wss(s)]) {
    const device = await enter(t, url, h, { clientId: 'seat-1', ...mine });
    await device.publishAsync('vote/q', 'a', { qos: 1 });
    await device.endAsync();
    await t.rejects(enter(t, url, h, { clientId: 'seat-2', ...mine }), { code: 2 }, 'another id');
    const both = { username: 'seat-2', password: secret };
    await t.rejects(
      enter(t, url, h, { clientId: 'seat-2', ...mine, ...both }),
      { code: 2 },
      'another id with a secret',
    );
    await t.rejects(
      enter(t, url, h, { clientId: 'seat-3', ...(await h.device('seat-3')) }),
      { code: 4 },
      'not registered',
    );
    const plain = await enter(t, url, h, { clientId: 'seat-1', username: 'seat-1', password: secret });
    await plain.endAsync();
    const foreign = await other.device('seat-1');
    await t.rejects(enter(t, url, h, { clientId: 'seat-1', ...foreign }), 'of another authority');
    const expired = await h.authority.forDevice('seat-1', -1);
    const old = { cert: expired.certificate, key: expired.key };
    await t.rejects(enter(t, url, h, { clientId: 'seat-1', ...old }), 'expired');
  }
  t.equal((await s.resultAfter('q', 2)).votes, 2);
  const live = await enter(t, s.mqtt, h, { clientId: 'seat-1', ...mine });
  const closed = endOf(live);
  await s.call('DELETE', '/api/devices/seat-1', { operator: true });
  await closed;
  await t.rejects(enter(t, s.mqtt, h, { clientId: 'seat-1', ...mine }), { code: 4 }, 'a removed device');
});

t.test('required: registered devices need a certificate on every way in, and guests do not', async (t) => {
  const h = await hall(t);
  const s = await stage(t, { ...h.mutual, tlsClients: 'required', door: 'devices' });
  await s.openPoll('q', { room: 'hall' });
  const secret = await register(s, 'seat-1');
  const login = { clientId: 'seat-1', username: 'seat-1', password: secret };
  await t.rejects(enter(t, s.mqtt, h, login), 'no handshake without a certificate');
  await t.rejects(enter(t, wss(s), h, login), { code: 5 });
  await t.rejects(enter(t, `mqtt://127.0.0.1:${s.pollcast.mqttPort}`, h, login), { code: 5 });
  const device = await enter(t, s.mqtt, h, { clientId: 'seat-1', ...(await h.device('seat-1')) });
  await device.publishAsync('vote/q', 'a', { qos: 1 });
  const guest = (await s.call('POST', '/api/rooms/hall/join')).body;
  const { clientId, username, password } = guest;
  const phone = await enter(t, wss(s), h, { clientId, username, password });
  await phone.publishAsync('vote/q', 'b', { qos: 1 });
  t.equal((await s.resultAfter('q', 2)).votes, 2);
});

t.test('at an open door, a certificate decides the id', async (t) => {
  const h = await hall(t);
  const s = await stage(t, { ...h.mutual });
  await enter(t, s.mqtt, h, { clientId: 'anybody' });
  const mine = await h.device('seat-1');
  await enter(t, s.mqtt, h, { clientId: 'seat-1', ...mine });
  await t.rejects(enter(t, s.mqtt, h, { clientId: 'seat-2', ...mine }), { code: 2 });
});

t.test('a revoked certificate ends its connections, and lets nobody in', async (t) => {
  const h = await hall(t);
  const s = await stage(t, { ...h.mutual, door: 'devices' });
  for (const id of ['seat-1', 'seat-2']) await register(s, id);
  const [mine, other] = [await h.device('seat-1'), await h.device('seat-2')];
  const stays = await enter(t, s.mqtt, h, { clientId: 'seat-2', ...other });
  for (const url of [s.mqtt, wss(s)]) {
    const certificate = await h.device('seat-1');
    const live = await enter(t, url, h, { clientId: 'seat-1', ...certificate });
    const closed = endOf(live);
    await h.revoke(certificate.cert);
    await closed;
    await t.rejects(enter(t, url, h, { clientId: 'seat-1', ...certificate }), url);
    const next = await enter(t, url, h, { clientId: 'seat-1', ...mine });
    await next.endAsync();
  }
  t.ok(stays.connected, 'others stay');
  await eventually('the reason in the trace', async () => {
    const trace = await s.call('GET', '/api/devices/seat-1/trace', { operator: true });
    return JSON.stringify(trace.body).includes('"certificate"') || undefined;
  });
});

t.test('an authority that is no longer trusted ends the connections of its devices', async (t) => {
  const h = await hall(t);
  const next = await hall(t);
  h.write('clients.crt', h.ca + next.ca);
  const s = await stage(t, { ...h.server, tlsCa: h.at('clients.crt'), door: 'devices' });
  for (const id of ['seat-1', 'seat-2']) await register(s, id);
  const old = await enter(t, s.mqtt, h, { clientId: 'seat-1', ...(await h.device('seat-1')) });
  const stays = await enter(t, s.mqtt, h, { clientId: 'seat-2', ...(await next.device('seat-2')) });
  const closed = endOf(old);
  h.write('clients.crt', next.ca);
  await closed;
  t.ok(stays.connected);
});

t.test('a revocation counts at every broker', async (t) => {
  const h = await hall(t);
  const redis = await redisServer(emptyFolder(t));
  t.teardown(() => redis.program.end());
  const { tlsCert, tlsKey, tlsCa, tlsCrl } = h.mutual;
  const tls = {
    POLLCAST_TLS_CERT: tlsCert,
    POLLCAST_TLS_KEY: tlsKey,
    POLLCAST_TLS_CA: tlsCa,
    POLLCAST_TLS_CRL: tlsCrl,
    POLLCAST_MQTTS_PORT: '0',
  };
  const env = { POLLCAST_REDIS_URL: redis.url, ...tls };
  const brokers = [
    new Server(emptyFolder(t), { command: 'broker', env }),
    new Server(emptyFolder(t), { command: 'broker', env }),
  ];
  for (const broker of brokers) t.teardown(() => broker.kill());
  await Promise.all(brokers.map((broker) => broker.start()));
  const ports = brokers.map(({ output }) => Number(/"mqtts":(\d+)/.exec(output)?.[1]));
  for (let i = 0; i < 10; i++) {
    const certificates = await Promise.all(ports.map((_, n) => h.device(`d-${i}-${n}`)));
    const live = await Promise.all(
      ports.map((port, n) => enter(t, `mqtts://127.0.0.1:${port}`, h, { clientId: `d-${i}-${n}`, ...certificates[n] })),
    );
    const closed = live.map((client) => endOf(client));
    await h.revoke(...certificates.map(({ cert }) => cert));
    await Promise.all(closed);
    for (const port of ports) {
      const again = { clientId: `d-${i}-0`, ...certificates[0] };
      await eventually('the refusal', async () =>
        enter(t, `mqtts://127.0.0.1:${port}`, h, again).then(
          () => undefined,
          () => true,
        ),
      );
    }
  }
});
