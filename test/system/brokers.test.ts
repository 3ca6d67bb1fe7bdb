import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import t, { type Test } from 'tap';
import { freePort, Server } from '../process.ts';
import { Program, redisCluster, redisServer, tell } from '../servers.ts';
import { eventually } from '../stage.ts';

t.setTimeout(300_000);

/** How long a session that wakes up may take to hear what it missed, ms. */
const WAKE_LIMIT_MS = 5_000;

/** A client that keeps what it is told. */
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
    const server = await Server.on(path, { command, env: { POLLCAST_REDIS_URL: url, ...env } });
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

for (const kind of ['one Redis', 'a Redis Cluster'] as const) {
  t.test(`what devices are told reaches those of every broker, over ${kind}`, async (t) => {
    const directory = t.testdir();
    const redis = kind === 'one Redis' ? await redisServer(join(directory, 'redis')) : await redisCluster(directory);
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
      const told = awake.heard('poll/demo', '"status":"closed"').then(() => true);
      const isTold = await Promise.race([told, sleep(WAKE_LIMIT_MS, false)]);
      if (isTold) woken++;
      // Now and then a broker did not know of the subscription at another one: who subscribes again gets the newest state.
      else await awake.client.subscribeAsync('poll/demo', { qos: 1 });
      await told;
    }
    t.ok(woken > 0, 'sessions wake up on another broker and hear what they missed');

    const [first] = devices;
    const taken = new Promise<void>((resolve) => first?.client.once('close', () => resolve()));
    if (first) first.client.options.reconnectPeriod = 0;
    await listener(t, two.mqtt, 'd1', { reconnectPeriod: 0 });
    await taken;
    t.pass('the same id on another broker takes over');

    if ('port' in redis) await tell(redis.port, 'PUBLISH', 'pollcast:mqtt:poll/demo', 'not from a broker');
    t.equal((await fetch(`${one.http}/ready`)).status, 200, 'a foreign message ends nobody');
  });
}

const directory = t.testdir();
const redis = await redisServer(join(directory, 'shared-redis'));
t.teardown(() => redis.program.end());
const shared = await processes(t, redis.url, directory);

t.test('two polls opened at once in one room, by two dashboards: one is', async (t) => {
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
    await eventually(`${loser} as it was`, async () => {
      const { body } = await api(other, 'GET', `/api/polls/${loser}`);
      return body.status === 'draft' && body.round === 0 ? true : undefined;
    });
    t.equal((await api(other, 'POST', `/api/polls/${winner}/close`)).status, 200);
  }
});

t.test('several processes on one port, replaced when they end', async (t) => {
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
  t.same((await connections(workers.http)) + (await connections(second)), 20, 'they share the port');
  t.ok((await connections(second)) > 0);
  const [worker] = readFileSync(`/proc/${workers.pid}/task/${workers.pid}/children`, 'utf8').split(' ').map(Number);
  process.kill(worker as number, 'SIGKILL');
  await eventually('another worker', both);
  await Promise.all(clients.map(({ client }) => client.publishAsync('vote/demo', 'b', { qos: 1 })));
  await eventually('all votes', async () => {
    const { body } = await api(dashboard, 'GET', '/api/polls/demo/result');
    return body.votes === 40 && body.ballots === 20 ? true : undefined;
  });
  t.equal(await workers.stop(), 0);
});

t.test('a device that comes while Redis is away is not refused for good', async (t) => {
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

t.test('behind HAProxy: devices and viewers go where there is a process that is ready', async (t) => {
  const { one, two, dashboard } = shared;
  const [mqttPort, httpPort] = [await freePort(), await freePort()];
  const env: Record<string, string> = {
    MAXCONN: '1000',
    MQTT_BIND: `127.0.0.1:${mqttPort}`,
    HTTP_BIND: `127.0.0.1:${httpPort}`,
  };
  for (const [name, server] of Object.entries({
    BROKER1: one,
    BROKER2: two,
    DASHBOARD1: dashboard,
    DASHBOARD2: dashboard,
  })) {
    env[name] = '127.0.0.1';
    env[`${name}_MQTT_PORT`] = String(server.mqttPort);
    env[`${name}_HTTP_PORT`] = String(server.httpPort);
  }
  const file = fileURLToPath(new URL('../../../docker/haproxy.cfg', import.meta.url));
  const isUp = async () => (await fetch(`http://127.0.0.1:${httpPort}/health`)).status === 200;
  const proxy = new Program('haproxy', ['-db', '-f', file], isUp, env);
  await proxy.start();
  t.teardown(() => proxy.end());
  const device = await listener(t, `mqtt://127.0.0.1:${mqttPort}`, 'through-the-proxy');
  await device.client.publishAsync('vote/demo', 'a', { qos: 1 });
  const phone = await listener(t, `ws://127.0.0.1:${httpPort}/mqtt`, 'phone');
  await phone.client.publishAsync('vote/demo', 'b', { qos: 1 });
  const stream = await fetch(`http://127.0.0.1:${httpPort}/api/polls/demo/stream`);
  const reader = stream.body?.getReader();
  t.match(new TextDecoder().decode((await reader?.read())?.value), /retry|event: result/);
  await reader?.cancel();
  await one.stop();
  await two.stop();
  await two.start();
  await eventually('votes through the broker that is left', async () => {
    await device.client.publishAsync('vote/demo', 'c', { qos: 1 });
    return true;
  });
  await eventually('both', async () => {
    const { body } = await api(dashboard, 'GET', '/api/polls/demo/result');
    return body.ballots === 23 ? true : undefined;
  });
});

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/ready`).then(
    ({ status }) => status === 200,
    () => false,
  );
}
