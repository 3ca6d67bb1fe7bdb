import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { eventually } from '../../../support/eventually.ts';
import { connect5 } from '../../../support/network/line5.ts';
import { Server } from '../../../support/process.ts';
import { redisServer } from '../../../support/servers.ts';
import { type Stage, stage } from '../../../support/stage.ts';

/** A will that a device leaves on its own status, after a while. */
const withWill = (id: string, seconds: number, more: object = {}) => ({
  will: {
    topic: `device/${id}/status`,
    payload: Buffer.from('{"state":"gone"}'),
    qos: 1,
    retain: true,
    properties: { willDelayInterval: seconds },
  },
  properties: { sessionExpiryInterval: 60 },
  ...more,
});

async function register(s: Stage, ...ids: string[]): Promise<Record<string, object>> {
  const logins: Record<string, object> = {};
  for (const id of ids) {
    const { body } = await s.call('POST', '/api/devices', { operator: true, body: { device: id } });
    logins[id] = { username: id, password: body.secret };
  }
  return logins;
}

async function stateOf(s: Stage, id: string): Promise<string | undefined> {
  const { body } = await s.call('GET', `/api/devices/${id}`, { operator: true });
  return body.status?.status?.state ?? body.status?.state;
}
const gone = (s: Stage, id: string) =>
  eventually(`the will of ${id}`, async () => ((await stateOf(s, id)) === 'gone' ? true : undefined));
/** Longer than a will of one second and the writing of statuses take. */
const LATER_MS = 5_000;

t.setTimeout(120_000);

t.test('a will waits, and is not published if the device returns', async (t) => {
  const s = await stage(t, { door: 'devices' });
  const ids = ['fires', 'at-once', 'leaves', 'with-will', 'returns', 'anew', 'short', 'plain'];
  const logins = await register(s, ...ids);
  const connect = (id: string, seconds: number, more: object = {}) =>
    connect5(t, s, id, { ...withWill(id, seconds, more), ...logins[id] });
  (await connect('fires', 1)).cut();
  (await connect('at-once', 0)).cut();
  await (await connect('leaves', 1)).leave();
  await (await connect('with-will', 1)).leave({ reasonCode: 4 });
  (await connect('returns', 1)).cut();
  const back = await connect5(t, s, 'returns', { clean: false, ...logins.returns });
  (await connect('anew', 60)).cut();
  await connect5(t, s, 'anew', { clean: true, ...logins.anew });
  (await connect('short', 600, { properties: { sessionExpiryInterval: 1 } })).cut();
  await (await connect('plain', 0)).leave({ reasonCode: 4 });
  for (const id of ['fires', 'at-once', 'with-will', 'anew', 'short', 'plain']) await gone(s, id);
  await sleep(LATER_MS / 2);
  for (const id of ['leaves', 'returns']) t.not(await stateOf(s, id), 'gone', id);
  t.equal(back.line.isClosed(), false);
});

t.test('a will is cancelled or published by whichever broker is there', async (t) => {
  const redis = await redisServer(t.testdir());
  t.teardown(() => redis.program.end());
  const s = await stage(t, { door: 'devices', redisUrl: redis.url });
  const logins = await register(s, 'returns', 'stays-away', 'in-use');
  const server = new Server(`${t.testdirName}/broker`, {
    command: 'broker',
    env: { POLLCAST_REDIS_URL: redis.url, POLLCAST_DOOR: 'devices' },
  });
  t.teardown(() => server.stop());
  await server.start();
  for (const id of ['returns', 'stays-away']) {
    (await connect5(t, server, id, { ...withWill(id, 2), ...logins[id] })).cut();
  }
  await connect5(t, server, 'in-use', { ...withWill('in-use', 2), ...logins['in-use'] });
  await sleep(500);
  await connect5(t, s, 'returns', { clean: false, ...logins.returns });
  await server.kill();
  await gone(s, 'stays-away');
  await eventually('the will of a device that the crashed broker had', () =>
    stateOf(s, 'in-use').then((state) => (state === 'gone' ? true : undefined)),
  );
  t.not(await stateOf(s, 'returns'), 'gone');
});

t.test('a will survives a crash', async (t) => {
  const server = new Server(t.testdir(), { env: { POLLCAST_DOOR: 'devices' } });
  t.teardown(() => server.stop());
  await server.start();
  const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
  const logins: Record<string, object> = {};
  for (const id of ['returns', 'stays-away']) {
    const body = JSON.stringify({ device: id });
    const answer = await fetch(`${server.http}/api/devices`, { method: 'POST', headers, body });
    logins[id] = { username: id, password: ((await answer.json()) as { secret: string }).secret };
    await connect5(t, server, id, { ...withWill(id, 5), ...logins[id] });
  }
  await server.kill();
  await server.start();
  await connect5(t, server, 'returns', { clean: false, ...logins.returns });
  const listed = async () => (await fetch(`${server.http}/api/devices`, { headers })).text();
  const text = await eventually('the will of the other device', async () => {
    const found = await listed();
    return found.includes('"gone"') ? found : undefined;
  });
  t.equal(text.split('"gone"').length, 2, 'only one of them');
});
