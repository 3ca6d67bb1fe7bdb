import { once } from 'node:events';
import { connect } from 'node:net';
import { connectAsync } from 'mqtt';
import { generate } from 'mqtt-packet';
import t, { type Test } from 'tap';
import { eventually } from '../../../support/eventually.ts';
import { Server } from '../../../support/process.ts';
import { redisServer } from '../../../support/servers.ts';
import { type Stage, stage } from '../../../support/stage.ts';

/** The events of a device as `what detail`, once `isComplete` accepts them. */
const trace = (s: Stage, device: string, isComplete: (events: readonly string[]) => boolean): Promise<string[]> =>
  eventually(`the trace of ${device}`, async () => {
    const { body } = await s.call('GET', `/api/devices/${device}/trace`, { operator: true });
    const events = (body.events as { what: string; detail: string | null; times: number }[]).map(
      ({ what, detail, times }) => [what, detail, times > 1 ? `×${times}` : null].filter(Boolean).join(' '),
    );
    return isComplete(events) ? events : undefined;
  });

/** Waits until a counter with a label `why` has the value. */
const counted = (s: Stage, name: string, value = 1) =>
  eventually(`${name} ${value}`, async () => {
    const text = await (await fetch(`${s.http}/metrics`)).text();
    return text.split('\n').includes(`${name} ${value}`) ? true : undefined;
  });
const refused = (s: Stage, why: string, value = 1) => counted(s, `pollcast_mqtt_refused_total{why="${why}"}`, value);
const left = (s: Stage, why: string, value = 1) => counted(s, `pollcast_mqtt_disconnected_total{why="${why}"}`, value);

async function withDevice(t: Test): Promise<{ s: Stage; login: { username: string; password: string } }> {
  const s = await stage(t, { door: 'devices' });
  await s.openPoll('q', { room: 'hall' });
  const { body } = await s.call('POST', '/api/devices', { operator: true, body: { device: 'seat-1' } });
  return { s, login: { username: 'seat-1', password: body.secret } };
}

/** Sends bytes over a plain socket, and waits until the broker closes the connection. */
async function send(s: Stage, ...packets: readonly Buffer[]): Promise<void> {
  const socket = connect(s.pollcast.mqttPort, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  socket.write(Buffer.concat(packets));
  await once(socket, 'close');
}

const hello = (more: object = {}): Buffer =>
  generate({
    cmd: 'connect',
    clientId: 'seat-1',
    protocolVersion: 4,
    protocolId: 'MQTT',
    clean: true,
    keepalive: 60,
    ...more,
  });

t.test('operators can see why a device does not get in', async (t) => {
  const { s, login } = await withDevice(t);
  await t.rejects(s.device('seat-1', { ...login, password: 'a wrong secret of some length' }));
  await refused(s, 'secret');
  await t.rejects(s.device('seat-1'));
  await refused(s, 'secret', 2);
  await t.rejects(s.device('seat-1', { ...login, username: 'seat-2' }));
  await refused(s, 'id');
  const will = { topic: 'vote/q', payload: Buffer.from('a'), qos: 1 as const, retain: false };
  await t.rejects(s.device('seat-1', { ...login, will }));
  await refused(s, 'will');
  await send(s, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  await refused(s, 'packet');
  const version99 = hello();
  version99[8] = 99;
  await send(s, version99);
  await refused(s, 'version');
  await t.rejects(s.device('seat-1', { protocolVersion: 5 }));
  await refused(s, 'secret', 3);
  const last = 'refused secret';
  const events = await trace(s, 'seat-1', (all) => all.at(-1) === last);
  t.same(events, ['refused secret ×2', 'refused id', 'refused will', last]);
  t.same((await s.call('GET', '/api/devices/seat-1/trace')).status, 401, 'only operators may read a trace');
  t.same((await s.call('GET', '/api/devices/nobody/trace', { operator: true })).body, { device: 'nobody', events: [] });
});

t.test('a device’s trace says what happened to it, but never what it voted', async (t) => {
  const { s, login } = await withDevice(t);
  const device = await s.device('seat-1', login);
  await device.subscribe('room/hall');
  t.equal(await device.subscribe('receipt/seat-2'), 128);
  await refused(s, 'topic');
  for (const choice of ['b', 'c', 'b']) await device.vote('vote/q', choice);
  await device.vote('vote/room/hall', 'nonsense');
  await device.client.endAsync();
  await left(s, 'goodbye');
  const events = await trace(s, 'seat-1', (all) => all.at(-1) === 'disconnected goodbye');
  t.same(events, [
    'connected',
    'subscribed room/hall',
    'refused topic',
    'voted q accepted ×3',
    'voted q unknown-option',
    'disconnected goodbye',
  ]);
  const { body } = await s.call('GET', '/api/devices/seat-1/trace', { operator: true });
  t.notMatch(JSON.stringify(body), /nonsense|"[abc]"/);
});

t.test('the reason of every disconnection is counted', async (t) => {
  const { s, login } = await withDevice(t);
  await send(s, hello({ ...login, keepalive: 1 }));
  await left(s, 'keepalive');
  await send(
    s,
    hello(login),
    generate({ cmd: 'publish', topic: '$SYS/x', payload: '', qos: 0, dup: false, retain: false }),
  );
  await left(s, 'topic');
  await send(s, hello(login), Buffer.from([0x30, 0xff, 0xff, 0x7f]));
  await left(s, 'packet');
  const lost = await s.device('seat-1', login);
  lost.client.stream.destroy();
  await left(s, 'lost');
  const older = await s.device('seat-1', login);
  const closed = older.closed();
  await s.device('seat-1', login);
  await closed;
  await left(s, 'takeover');
  await counted(s, 'pollcast_mqtt_takeovers_total');
  await s.call('DELETE', '/api/devices/seat-1', { operator: true });
  await left(s, 'removed');
  const events = await trace(s, 'seat-1', (all) => all.at(-1) === 'disconnected removed');
  t.same(
    events.filter((one) => one.startsWith('disconnected')).map((one) => one.split(' ')[1]),
    ['keepalive', 'topic', 'packet', 'lost', 'takeover', 'removed'],
  );
});

t.test('a secret poll’s votes leave no event, and nothing that is stored dates a connection meanwhile', async (t) => {
  for (const secrecy of ['secret', 'pseudonymous']) {
    const s = await stage(t, { door: 'devices' }, t.testdir());
    const { body } = await s.call('POST', '/api/devices', { operator: true, body: { device: 'd' } });
    await s.openPoll('ballot', { secrecy, visibility: 'closed' });
    const device = await s.device('d', { username: 'd', password: body.secret });
    await device.vote('vote/ballot', 'b');
    await device.vote('vote/ballot', 'nonsense');
    await device.client.endAsync();
    await t.rejects(s.device('e'));
    t.same(await trace(s, 'e', (all) => all.length > 0), ['refused secret'], 'refusals are shown at once');
    t.same(await trace(s, 'd', () => true), [], 'the others are written once a minute');
    await s.call('POST', '/api/polls/ballot/close', { operator: true });
    t.same(await trace(s, 'd', (all) => all.length > 0), ['connected', 'disconnected goodbye']);
    const { events } = (await s.call('GET', '/api/devices/d/trace', { operator: true })).body;
    for (const { at } of events) t.match(at, /:00\.000Z$/);
    await s.stop();
  }
});

t.test('a trace covers all brokers of a deployment, and shows which one a device left for another', async (t) => {
  const redis = await redisServer(t.testdir({ redis: {} }));
  t.teardown(() => redis.program.end());
  const [one, two] = await Promise.all([stage(t, { redisUrl: redis.url }), stage(t, { redisUrl: redis.url })]);
  await one.openPoll('q');
  await (await one.device('d')).vote('vote/q', 'a');
  await trace(two, 'd', (all) => all.includes('voted q accepted'));
  await two.device('d');
  await left(one, 'takeover');
  const events = await trace(two, 'd', (all) => all.filter((event) => event === 'connected').length === 2);
  t.same(events.slice(0, 2), ['connected', 'voted q accepted']);
  t.ok((await trace(one, 'd', (all) => all.includes('disconnected takeover'))).length >= 4);
});

t.test('the log has one warning per reason and minute, with the client id', async (t) => {
  const server = new Server(t.testdir(), { env: { POLLCAST_DOOR: 'devices' } });
  t.teardown(() => server.kill());
  await server.start();
  for (const clientId of ['seat-1', 'seat-2', 'seat\n3']) {
    await t.rejects(connectAsync(server.mqtt, { clientId, reconnectPeriod: 0, protocolVersion: 4 }));
  }
  await eventually('the warnings', async () =>
    /refused.*seat\\n3|seat\\n3.*refused/.test(server.output) ? true : undefined,
  );
  const warnings = server.output.split('\n').filter((line) => line.includes('device refused'));
  t.equal(warnings.length, 2, server.output);
  t.match(warnings[0], /seat-1/);
  t.match(warnings[0], /secret/);
});
