/** Revoking works at every broker, also if the device is registered again at once. */
import mqtt, { type IClientOptions } from 'mqtt';
import t from 'tap';
import { emptyFolder } from '../../support/folder.ts';
import { endOf } from '../../support/hall.ts';
import { Server } from '../../support/process.ts';
import { redisServer } from '../../support/servers.ts';

/** How often a device is revoked and registered again. */
const TIMES = Number(process.env.POLLCAST_REVOCATIONS ?? 20);
/** How many devices are revoked together. */
const TOGETHER = 60;

t.test('every revoked device is disconnected at its broker, and its secret lets nobody in', async (t) => {
  const redis = await redisServer(emptyFolder(t));
  t.teardown(() => redis.program.end());
  const env = { POLLCAST_REDIS_URL: redis.url, POLLCAST_DOOR: 'devices' };
  const at = (command: string) => new Server(emptyFolder(t), { command, env });
  const [dashboard, ...brokers] = [at('dashboard'), at('broker'), at('broker')] as const;
  for (const server of [dashboard, ...brokers]) t.teardown(() => server.kill());
  await Promise.all([dashboard, ...brokers].map((server) => server.start()));
  const call = async (method: string, path: string, body: object) => {
    const headers = { authorization: `Bearer ${dashboard.token}`, 'content-type': 'application/json' };
    const answer = await fetch(dashboard.http + path, { method, headers, body: JSON.stringify(body) });
    return (await answer.json()) as {
      secret: string;
      revoked: string[];
      devices: { device: string; secret: string }[];
    };
  };
  const enter = async (i: number, device: string, password: string) => {
    const options: IClientOptions = { clientId: device, username: device, password, reconnectPeriod: 0 };
    const client = await mqtt.connectAsync(brokers[i % 2]?.mqtt ?? '', options, false);
    client.on('error', () => {});
    t.teardown(() => client.endAsync(true));
    return client;
  };

  let { secret } = await call('POST', '/api/devices', { device: 'd' });
  for (let i = 0; i < TIMES; i++) {
    const ended = endOf(await enter(i, 'd', secret));
    const old = secret;
    await call('POST', '/api/devices/revoke', { devices: ['d'] });
    secret = (await call('POST', '/api/devices', { device: 'd' })).secret;
    await ended;
    for (const n of [0, 1]) await t.rejects(enter(n, 'd', old), `the old secret at broker ${n}`);
  }
  const ids = Array.from({ length: TOGETHER }, (_, i) => ({ device: `seat-${i}`, group: 'hall' }));
  const { devices } = await call('POST', '/api/devices/import', { devices: ids });
  const clients = await Promise.all(devices.map((one, i) => enter(i, one.device, one.secret)));
  const all = Promise.all(clients.map(endOf));
  const { revoked } = await call('POST', '/api/devices/revoke', { group: 'hall' });
  t.equal(revoked.length, TOGETHER);
  await all;
});
