/** A vote whose acknowledgement was lost is sent again and counts once; and receipts promise no more than what counts. */
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import { generate } from 'mqtt-packet';
import t, { type Test } from 'tap';
import { eventually } from '../../support/eventually.ts';
import { type Fault, FaultyLine } from '../../support/network/faulty-line.ts';
import { Server } from '../../support/process.ts';
import { redisServer } from '../../support/servers.ts';
import { type Stage, stage } from '../../support/stage.ts';
import { rawDevice, withPoll } from './devices.ts';

t.setTimeout(120_000);

/** What became of the votes of poll `q`, and the options that have votes, once `received` votes have been counted. */
async function accounting(s: Stage, received: number) {
  const { accounting: found, options } = await eventually(`${received} votes`, async () => {
    const { body } = await s.call('GET', '/api/polls/q/result', { operator: true });
    return body.accounting?.received >= received ? body : undefined;
  });
  return { ...found, won: options.filter(({ count = 0 }) => count > 0).map(({ key }: { key: string }) => key) };
}

/** A device of mqtt.js that reconnects over the line, which loses packets. */
function reconnecting(t: Pick<Test, 'teardown'>, port: number, clientId: string, reconnectPeriod = 50): MqttClient {
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { clientId, protocolVersion: 4, reconnectPeriod });
  client.on('error', () => {});
  t.teardown(() => client.endAsync(true));
  return client;
}

async function faulty(t: Test, target: number | ((connection: number) => number), ...faults: Fault[]) {
  const line = await FaultyLine.to(target, faults);
  t.teardown(() => line.close());
  return line;
}

t.test('mqtt.js sends a vote again without DUP, which does not use up the second vote', async (t) => {
  for (const secrecy of ['named', 'secret']) {
    for (const qos of [1, 2] as const) {
      await t.test(`QoS ${qos}, ${secrecy}`, async (t) => {
        const settings = secrecy === 'secret' ? { secrecy, visibility: 'closed' } : {};
        const s = await withPoll(t, { revote: 'max 2', ...settings });
        const line = await faulty(t, s.pollcast.mqttPort, 'no PUBACK', 'no PUBACK');
        const client = reconnecting(t, line.port, 'd');
        await client.publishAsync('vote/q', 'a', { qos });
        t.equal(line.happened, 2);
        await client.publishAsync('vote/q', 'b', { qos });
        t.match(await accounting(s, 4), {
          received: 4,
          counted: 1,
          replaced: 1,
          redelivered: 2,
          rejected: {},
          won: secrecy === 'secret' ? [] : ['b'],
        });
      });
    }
  }
});

t.test('a vote that did not arrive, or only in part, counts when it is sent again', async (t) => {
  const s = await withPoll(t, { revote: 'max 2' });
  const line = await faulty(t, s.pollcast.mqttPort, 'no PUBLISH', 'half a PUBLISH', 'no PUBACK');
  const client = reconnecting(t, line.port, 'd');
  await client.publishAsync('vote/q', 'a', { qos: 1 });
  await client.publishAsync('vote/q', 'b', { qos: 1 });
  t.equal(line.happened, 3);
  t.match(await accounting(s, 3), { received: 3, counted: 1, replaced: 1, redelivered: 1, rejected: {}, won: ['b'] });
});

t.test('several votes under way are sent again in their order, and the last counts', async (t) => {
  const s = await withPoll(t, { revote: 'max 3' });
  const line = await faulty(t, s.pollcast.mqttPort, 'no PUBACK');
  const client = reconnecting(t, line.port, 'd');
  await new Promise<void>((resolve) => client.once('connect', () => resolve()));
  await Promise.all(['a', 'b', 'c'].map((choice) => client.publishAsync('vote/q', choice, { qos: 1 })));
  const found = await accounting(s, 4);
  t.match(found, { counted: 1, replaced: 2, rejected: {}, won: ['c'] });
});

/** Publishes a vote with packet id 1 over a new connection, as a device that starts anew; waits for the PUBACK. */
async function press(s: Stage, choices: string, end: 'DISCONNECT' | 'cut'): Promise<void> {
  const socket = await rawDevice(s, 'd');
  for (const [i, payload] of [...choices].entries()) {
    const vote = {
      cmd: 'publish',
      topic: 'vote/q',
      payload,
      qos: 1,
      messageId: i + 1,
      dup: false,
      retain: false,
    } as const;
    const acknowledged = new Promise((resolve) => socket.once('data', resolve));
    socket.write(generate(vote));
    await acknowledged;
  }
  const closed = new Promise((resolve) => socket.once('close', resolve));
  if (end === 'DISCONNECT') socket.write(generate({ cmd: 'disconnect' }));
  else socket.destroy();
  await closed;
}

t.test('votes of a device that left are never taken for redeliveries, whatever their packet ids', async (t) => {
  const s = await withPoll(t);
  await press(s, 'ab', 'DISCONNECT');
  await press(s, 'a', 'DISCONNECT');
  t.match(await accounting(s, 3), { received: 3, replaced: 2, redelivered: 0, won: ['a'] });
  await press(s, 'a', 'DISCONNECT');
  t.match(await accounting(s, 4), { received: 4, replaced: 3, redelivered: 0, won: ['a'] });
});

t.test('a clicker that starts anew for each press, without DISCONNECT, has its last press counted', async (t) => {
  const s = await withPoll(t);
  for (const choice of ['a', 'b', 'a']) await press(s, choice, 'cut');
  t.match(await accounting(s, 3), { received: 3, replaced: 2, redelivered: 0, won: ['a'] });
});

t.test('a redelivery is recognised after the broker was killed', async (t) => {
  const server = new Server(t.testdir());
  t.teardown(() => server.kill());
  await server.start();
  const call = async (method: string, path: string, body?: object) => {
    const headers = {
      authorization: `Bearer ${server.token}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    };
    const answer = await fetch(server.http + path, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return (await answer.json()) as { accounting?: { received: number } };
  };
  const options = ['a', 'b'].map((key) => ({ key, label: key }));
  await call('POST', '/api/polls', { poll: 'q', title: 'Q', options, revote: 'max 2' });
  await call('POST', '/api/polls/q/open');
  const line = await faulty(t, () => server.mqttPort, 'no PUBACK');
  // Long enough for the server to be killed before the client connects again.
  const client = reconnecting(t, line.port, 'd', 1_000);
  const voted = client.publishAsync('vote/q', 'a', { qos: 1 });
  await new Promise<void>((resolve) => client.once('close', () => resolve()));
  await server.kill();
  await server.start();
  await voted;
  await client.publishAsync('vote/q', 'b', { qos: 1 });
  const found = await eventually('three votes', async () => {
    const { accounting } = await call('GET', '/api/polls/q/result');
    return accounting?.received === 3 ? accounting : undefined;
  });
  t.match(found, { counted: 1, replaced: 1, redelivered: 1, rejected: {} });
});

t.test('over Redis, a redelivery to another broker is recognised, and votes of a device that left count', async (t) => {
  const directory = t.testdir({ redis: {} });
  const redis = await redisServer(join(directory, 'redis'));
  t.teardown(() => redis.program.end());
  const one = await stage(t, { redisUrl: redis.url });
  const two = await stage(t, { redisUrl: redis.url });
  await one.openPoll('q', { revote: 'max 2' });
  await two.resultAfter('q', 0);
  const line = await faulty(t, (i) => (i % 2 ? two : one).pollcast.mqttPort, 'no PUBACK', 'no PUBACK');
  const client = reconnecting(t, line.port, 'd1');
  await client.publishAsync('vote/q', 'a', { qos: 1 });
  await client.publishAsync('vote/q', 'b', { qos: 1 });
  t.match(await accounting(one, 4), { counted: 1, replaced: 1, redelivered: 2, rejected: {}, won: ['b'] });
  await one.call('POST', '/api/polls/q/close', { operator: true });
});

t.test('a receipt says accepted only for a vote that counts', async (t) => {
  const s = await stage(t);
  await s.openPoll('once', { revote: 'first' });
  await s.openPoll('twice', { revote: 'max 2', withdraw: true });
  await s.openPoll('last', { withdraw: true });
  const device = await s.device('d');
  await device.subscribe('receipt/d');
  const receipt = async (poll: string, payload: string) => {
    await device.vote(`vote/${poll}`, payload);
    return device.next('receipt/d');
  };
  for (const choice of ['a', 'b']) t.equal(await receipt('once', choice), 'recorded once');
  for (const choice of ['a', 'b', 'c']) t.equal(await receipt('twice', choice), 'recorded twice');
  t.equal(await receipt('last', '-'), 'recorded last', 'there may be nothing to withdraw');
  t.equal(await receipt('last', 'a'), 'accepted last');
  t.equal(await receipt('last', '{"c":"b","n":7}'), 'accepted last');
  t.equal(await receipt('last', '{"c":"b","n":7}'), 'accepted last', 'a copy of the newest');
  t.equal(await receipt('last', '{"c":"c","n":6}'), 'recorded last', 'an older number');
  t.equal(await receipt('last', 'a'), 'accepted last');
  t.equal(await receipt('last', 'z'), 'rejected last unknown-option');
  await s.stop();
});

t.test('after a restart, receipts know the numbers of ballots, and their order is that of the votes', async (t) => {
  const first = await withPoll(t);
  await (await first.device('d')).vote('vote/q', '{"c":"a","n":7}');
  await first.resultAfter('q', 1);
  await first.stop();
  const second = await stage(t, {}, first.directory);
  const device = await second.device('d');
  await device.subscribe('receipt/d');
  await Promise.all(['{"c":"b","n":3}', 'z', '{"c":"b","n":8}'].map((payload) => device.vote('vote/q', payload)));
  const receipts = [await device.next('receipt/d'), await device.next('receipt/d'), await device.next('receipt/d')];
  t.same(receipts, ['recorded q', 'rejected q unknown-option', 'accepted q']);
});
