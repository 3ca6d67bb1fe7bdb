import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { encode as cbor } from 'cborg';
import mqtt from 'mqtt';
import { generate } from 'mqtt-packet';
import t from 'tap';
import { stage } from '../../support/stage.ts';
import { rawDevice, withPoll } from './devices.ts';

t.test('a vote for a round that is not open is rejected as closed', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const device = await s.device('d');
  await device.subscribe('receipt/d');
  await device.vote('vote/q', '{"c":"a","r":2}');
  t.equal(await device.next('receipt/d'), 'rejected q closed');
  await device.vote('vote/q', '{"c":"b","r":1}');
  t.equal(await device.next('receipt/d'), 'accepted q');
  for (const round of ['{"toString":1}', '"1"', 'true', '[1]', '-1', '0.5']) {
    await device.vote('vote/q', `{"c":"a","r":${round}}`);
    t.equal(await device.next('receipt/d'), 'rejected q bad-sequence', round);
  }
  t.match((await s.resultAfter('q', 8)).accounting, { counted: 1, rejected: { closed: 1, 'bad-sequence': 6 } });
});

t.test('a vote counts once, whatever its QoS and payload format', async (t) => {
  const s = await withPoll(t);
  const forms: [string | Buffer, 0 | 1 | 2, string][] = [
    ['a', 1, 'vote/q'],
    ['b', 2, 'vote/q'],
    ['c', 0, 'vote/q'],
    [' a\n', 1, 'vote/room/hall'],
    ['{"c":"a","n":1,"t":1700000000000}', 1, 'vote/q'],
    ['{"c":["b"]}', 1, 'vote/q'],
    [Buffer.from(cbor({ c: 'a', n: 3 })), 1, 'vote/q'],
  ];
  for (const [i, [payload, qos, topic]] of forms.entries()) {
    const device = await s.device(`d${i}`);
    await device.vote(topic, payload, { qos });
  }
  const result = await s.resultAfter('q', forms.length);
  t.same(
    result.options.map(({ count }) => count),
    [4, 2, 1],
  );
  t.match(result.accounting, { received: 7, counted: 7, replaced: 0, redelivered: 0, rejected: {} });
});

t.test('an accepted vote gets a receipt', async (t) => {
  const s = await withPoll(t);
  const device = await s.device('d');
  await device.subscribe('receipt/d', 1);
  await device.vote('vote/room/hall', 'a');
  t.equal(await device.next('receipt/d'), 'accepted q');
});

t.test('a clicker’s vote is 14 bytes at QoS 1 and 12 at QoS 0', async (t) => {
  const s = await stage(t);
  await s.openPoll('q7');
  const qos1 = generate({
    cmd: 'publish',
    topic: 'vote/q7',
    payload: 'b',
    qos: 1,
    messageId: 1,
    dup: false,
    retain: false,
  });
  const qos0 = generate({ cmd: 'publish', topic: 'vote/q7', payload: 'b', qos: 0, dup: false, retain: false });
  t.equal(qos1.length, 14);
  t.equal(qos0.length, 12);
  const socket = await rawDevice(s, 'clicker');
  const before = socket.bytesWritten;
  socket.write(qos1);
  const [puback] = await once(socket, 'data');
  t.equal(socket.bytesWritten - before, 14);
  t.same([...puback], [0x40, 2, 0, 1], 'PUBACK of packet 1');
  socket.write(qos0);
  const result = await s.resultAfter('q7', 2);
  t.equal(result.options[1]?.count, 1);
});

t.test('MQTT over WebSocket works only on the path /mqtt', async (t) => {
  const s = await withPoll(t);
  const url = s.http.replace('http', 'ws');
  const client = await mqtt.connectAsync(`${url}/mqtt`, { clientId: 'phone', protocolVersion: 4, reconnectPeriod: 0 });
  await client.publishAsync('vote/q', 'b', { qos: 1 });
  await client.endAsync();
  t.equal((await s.resultAfter('q', 1)).options[1]?.count, 1);
  await t.rejects(mqtt.connectAsync(`${url}/other`, { reconnectPeriod: 0, connectTimeout: 500 }, false));
});

t.test('a vote sent with mosquitto_pub, an independent client, is counted', async (t) => {
  const s = await withPoll(t);
  const port = String(s.pollcast.mqttPort);
  for (const qos of ['0', '1', '2']) {
    const child = spawn(
      'mosquitto_pub',
      ['-h', '127.0.0.1', '-p', port, '-i', `clicker-${qos}`, '-q', qos, '-t', 'vote/q', '-m', 'a'],
      {
        stdio: 'inherit',
      },
    );
    const [code] = await once(child, 'close');
    t.equal(code, 0);
  }
  t.equal((await s.resultAfter('q', 3)).ballots, 3);
});

t.test('a device may send keys in capitals, zero bytes at the end, and a decimal comma', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  await s.openPoll('n', { kind: 'numeric', options: undefined, min: 0, max: 10, decimals: 1 });
  const device = await s.device('d');
  await device.subscribe('receipt/d');
  const forms: [string, string | Buffer, string][] = [
    ['q', 'B', 'accepted q'],
    ['q', 'b\0', 'accepted q'],
    ['q', '{"c":"B"}\0\0', 'accepted q'],
    ['q', Buffer.concat([cbor({ c: 'B' }), Buffer.alloc(4)]), 'accepted q'],
    ['q', 'b\0c', 'rejected q unknown-option'],
    ['n', '3,5', 'accepted n'],
    ['n', '{"c":"3,5"}', 'accepted n'],
    ['n', '{"c":[3,5]}', 'rejected n not-a-number'],
  ];
  for (const [poll, payload, receipt] of forms) {
    await device.vote(`vote/${poll}`, payload);
    t.equal(await device.next('receipt/d'), receipt, JSON.stringify(payload));
  }
  t.match(await s.resultAfter('q', 5), { ballots: 1, options: [{ count: 0 }, { count: 1 }, { count: 0 }] });
  t.match(await s.resultAfter('n', 3), { ballots: 1, mean: 3.5 });
});
