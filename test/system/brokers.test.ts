import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import t, { type Test } from 'tap';
import { eventually } from '../support/eventually.ts';
import { hall } from '../support/hall.ts';
import { fetchSecurely } from '../support/network/https.ts';
import { onOwnPorts } from '../support/ports.ts';
import { Server } from '../support/process.ts';
import { pathInCheckout } from '../support/root.ts';
import { Program, redisCluster, redisServer, tell } from '../support/servers.ts';

t.setTimeout(300_000);

/** The time in ms that a resumed session may take to receive the messages that it missed. */
const WAKE_LIMIT_MS = 5_000;

/** Connects a client that records the messages it receives. */
async function listener(t: Test, url: string, clientId: string, options: IClientOptions = {}) {
  const messages: [topic: string, text: string][] = [];
  const client: MqttClient = mqtt.connect(url, { clientId, reconnectPeriod: 200, ...options });
  client.on('message', (topic, text) => messages.push([topic, text.toString()]));
  client.on('error', () => {});
  t.teardown(() => client.endAsync(true));
  await new Promise<void>((resolve) => client.once('connect', () => resolve()));
  const heard = (topic: string, text: string) =>
    eventually(`${text} on ${topic}`, async () =>
      messages.find(([to, what]) => to === topic && what.includes(text)),
    ).catch((error) => {
      throw new Error(`${error.message}; heard ${JSON.stringify(messages)}`);
    });
  return { client, messages, heard };
}

async function api(server: Server, method: string, path: string, body?: object) {
  const headers: Record<string, string> = { authorization: `Bearer ${server.token}` };
  if (body) headers['content-type'] = 'application/json';
  const response = await fetch(server.http + path, { method, headers, body: body ? JSON.stringify(body) : null });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function processes(t: Pick<Test, 'teardown'>, url: string, directory: string) {
  const on = async (command: string, env: Record<string, string> = {}) => {
    const path = join(directory, `${command}-${Math.random().toString(36).slice(2)}`);
    mkdirSync(path, { recursive: true });
    const server = new Server(path, { command, env: { POLLCAST_REDIS_URL: url, ...env } });
    t.teardown(() => server.kill());
    return server;
  };
  const one = await on('broker');
  const two = await on('broker');
  const all = [one, two, await on('processor'), await on('dashboard')] as const;
  await Promise.all(all.slice(0, 3).map((server) => server.start()));
  await all[3].start('--demo');
  return { one, two, processor: all[2], dashboard: all[3], on };
}

for (const deployment of ['one Redis', 'a Redis Cluster'] as const) {
  t.test(`messages reach the devices of every broker, over ${deployment}`, async (t) => {
    const directory = t.testdir();
    const redis =
      deployment === 'one Redis' ? await redisServer(join(directory, 'redis')) : await redisCluster(directory);
    t.teardown(() => ('program' in redis ? redis.program.end() : redis.end()));
    const { one, two, dashboard } = await processes(t, redis.url, directory);

    const devices = await Promise.all([listener(t, one.mqtt, 'd1'), listener(t, two.mqtt, 'd2')]);
    for (const [i, { client, heard }] of devices.entries()) {
      await client.subscribeAsync(['poll/demo', 'room/main', 'result/demo', `receipt/d${i + 1}`], { qos: 1 });
      await heard('poll/demo', '"status":"open"');
      await heard('room/main', '"poll":"demo"');
    }
    const sleepers = ['sleeper-1', 'sleeper-2', 'sleeper-3'];
    for (const name of sleepers) {
      const sleeper = await listener(t, one.mqtt, name, { clean: false });
      await sleeper.client.subscribeAsync('poll/demo', { qos: 1 });
      await sleeper.heard('poll/demo', 'open');
      await sleeper.client.endAsync();
    }

    await Promise.all(devices.map(({ client }, i) => client.publishAsync('vote/room/main', 'ab'[i] ?? '', { qos: 1 })));
    for (const [i, { heard }] of devices.entries()) {
      await heard(`receipt/d${i + 1}`, 'accepted demo');
      await heard('result/demo', '"ballots":2');
    }
    t.equal((await api(dashboard, 'POST', '/api/polls/demo/close')).status, 200);
    for (const { heard } of devices) await heard('poll/demo', '"status":"closed"');
    let woken = 0;
    for (const name of sleepers) {
      const awake = await listener(t, two.mqtt, name, { clean: false });
      const update = awake.heard('poll/demo', '"status":"closed"').then(() => true);
      const isInTime = await Promise.race([update, sleep(WAKE_LIMIT_MS, false)]);
      if (isInTime) woken++;
      // Sometimes a broker does not know of a subscription made at another. Subscribing again delivers the current state.
      else await awake.client.subscribeAsync('poll/demo', { qos: 1 });
      await update;
    }
    t.ok(woken > 0, 'sessions resumed on another broker receive the messages that they missed');

    const [first] = devices;
    const taken = new Promise<void>((resolve) => first?.client.once('close', () => resolve()));
    if (first) first.client.options.reconnectPeriod = 0;
    await listener(t, two.mqtt, 'd1', { reconnectPeriod: 0 });
    await taken;
    t.pass('a connection with the same client id on another broker takes over');

    if ('port' in redis) await tell(redis.port, 'PUBLISH', 'pollcast:mqtt:poll/demo', 'not from a broker');
    t.equal(
      (await fetch(`${one.http}/ready`)).status,
      200,
      'an invalid message on the Redis channel does not crash the broker',
    );
  });
}

const directory = t.testdir();
const redis = await redisServer(join(directory, 'shared-redis'));
t.teardown(() => redis.program.end());
const shared = await processes(t, redis.url, directory);

t.test('when two dashboards open two polls in one room at once, only one of the polls is opened', async (t) => {
  const { dashboard, on } = shared;
  const other = await on('dashboard');
  await other.start();
  const options = [
    { key: 'a', label: 'A' },
    { key: 'b', label: 'B' },
  ];
  for (let n = 0; n < 10; n++) {
    const polls = [`left${n}`, `right${n}`] as const;
    for (const poll of polls) {
      await api(dashboard, 'POST', '/api/polls', { poll, room: 'hall', title: poll, options });
    }
    const opened = await Promise.all(
      polls.map((poll, i) => api([dashboard, other][i] as Server, 'POST', `/api/polls/${poll}/open`)),
    );
    t.same(opened.map(({ status }) => status).sort(), [200, 409], `round ${n}`);
    const winner = polls[opened.findIndex(({ status }) => status === 200)] ?? '';
    const loser = polls.find((poll) => poll !== winner) ?? '';
    await eventually(`${loser} to be a draft again`, async () => {
      const { body } = await api(other, 'GET', `/api/polls/${loser}`);
      return body.status === 'draft' && body.round === 0 ? true : undefined;
    });
    t.equal((await api(other, 'POST', `/api/polls/${winner}/close`)).status, 200);
  }
});

t.test('workers share one port and are replaced when they die', async (t) => {
  const { on, dashboard } = shared;
  const workers = await on('broker', { POLLCAST_WORKERS: '2' });
  await workers.start();
  const second = `http://127.0.0.1:${workers.httpPort + 1}`;
  const both = async () => ((await isReady(workers.http)) && (await isReady(second)) ? true : undefined);
  await eventually('both workers', both);
  const clients = await Promise.all(Array.from({ length: 20 }, (_, i) => listener(t, workers.mqtt, `w${i}`)));
  await Promise.all(clients.map(({ client }) => client.publishAsync('vote/demo', 'a', { qos: 1 })));
  const connections = async (url: string) =>
    Number(/^pollcast_mqtt_connections (\d+)/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1]);
  await sleep(1_100);
  t.same((await connections(workers.http)) + (await connections(second)), 20, 'the two workers share all connections');
  t.ok((await connections(second)) > 0);
  const [worker] = readFileSync(`/proc/${workers.pid}/task/${workers.pid}/children`, 'utf8').split(' ').map(Number);
  process.kill(worker as number, 'SIGKILL');
  await eventually('the replacement of the worker', both);
  await Promise.all(clients.map(({ client }) => client.publishAsync('vote/demo', 'b', { qos: 1 })));
  await eventually('all votes', async () => {
    const { body } = await api(dashboard, 'GET', '/api/polls/demo/result');
    return body.votes === 40 && body.ballots === 20 ? true : undefined;
  });
  t.equal(await workers.stop(), 0);
});

t.test('a device that connects while Redis is unreachable is not refused', async (t) => {
  const { one, dashboard } = shared;
  const before = (await api(dashboard, 'GET', '/api/polls/demo/result')).body.votes as number;
  await redis.program.end();
  const client = mqtt.connect(one.mqtt, { clientId: 'early', reconnectPeriod: 200 });
  t.teardown(() => client.endAsync(true));
  const refusals: string[] = [];
  client.on('error', (error) => refusals.push(error.message));
  const voted = client.publishAsync('vote/demo', 'c', { qos: 1 });
  await sleep(2_500);
  await redis.program.start();
  await voted;
  t.same(refusals, []);
  await eventually('its vote', async () => {
    const { body } = await api(dashboard, 'GET', '/api/polls/demo/result');
    return body.votes === before + 1 ? true : undefined;
  });
});

t.test('HAProxy sends devices and viewers to processes that are ready', async (t) => {
  const { one, two, dashboard } = shared;
  const h = await hall(t);
  const env: Record<string, string> = { MAXCONN: '1000', TLS_CERT: h.server.tlsCert };
  for (const [name, server] of Object.entries({
    BROKER1: one,
    BROKER2: two,
    DASHBOARD1: dashboard,
    DASHBOARD2: dashboard,
  })) {
    env[name] = '127.0.0.1';
    env[`${name}_MQTT_PORT`] = String(server.mqttPort);
    env[`${name}_HTTP_PORT`] = String(server.httpPort);
    env[`${name}_OPS_PORT`] = String(server.httpPort);
  }
  const file = pathInCheckout('docker/haproxy.cfg');
  const [mqttPort, httpPort, mqttsPort, httpsPort] = await onOwnPorts(4, async (...ports) => {
    const [mqttPort = 0, httpPort = 0, mqttsPort = 0, httpsPort = 0] = ports;
    const at = (port: number) => `127.0.0.1:${port}`;
    const plain = { MQTT_BIND: at(mqttPort), HTTP_BIND: at(httpPort) };
    const binds = { ...plain, MQTTS_BIND: at(mqttsPort), HTTPS_BIND: at(httpsPort) };
    const isUp = async () => (await fetch(`http://127.0.0.1:${httpPort}/health`)).status === 200;
    const proxy = new Program('haproxy', ['-db', '-f', file], isUp, { ...env, ...binds });
    t.teardown(() => proxy.end());
    await proxy.start();
    return [mqttPort, httpPort, mqttsPort, httpsPort] as const;
  });
  const device = await listener(t, `mqtt://127.0.0.1:${mqttPort}`, 'through-the-proxy');
  await device.client.publishAsync('vote/demo', 'a', { qos: 1 });
  const phone = await listener(t, `ws://127.0.0.1:${httpPort}/mqtt`, 'phone');
  await phone.client.publishAsync('vote/demo', 'b', { qos: 1 });
  const secure = await listener(t, `mqtts://127.0.0.1:${mqttsPort}`, 'over-tls', { ca: h.ca });
  await secure.client.publishAsync('vote/demo', 'b', { qos: 1 });
  const web = await listener(t, `wss://127.0.0.1:${httpsPort}/mqtt`, 'over-tls-and-web', { ca: h.ca });
  await web.client.publishAsync('vote/demo', 'b', { qos: 1 });
  const get = { method: 'GET', headers: {}, body: null };
  t.equal((await fetchSecurely(`https://127.0.0.1:${httpsPort}/health`, h.ca, get)).status, 200);
  const stream = await fetch(`http://127.0.0.1:${httpPort}/api/polls/demo/stream`);
  const reader = stream.body?.getReader();
  t.match(new TextDecoder().decode((await reader?.read())?.value), /retry|event: result/);
  await reader?.cancel();
  await one.stop();
  await two.stop();
  await two.start();
  await eventually('a vote through the remaining broker', async () => {
    await device.client.publishAsync('vote/demo', 'c', { qos: 1 });
    return true;
  });
  await eventually('the ballots cast through HAProxy', async () => {
    const { body } = await api(dashboard, 'GET', '/api/polls/demo/result');
    return body.ballots === 25 ? true : undefined;
  });
});

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/ready`).then(
    ({ status }) => status === 200,
    () => false,
  );
}
