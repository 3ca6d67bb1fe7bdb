import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encode as cbor } from 'cborg';
import mqtt, { type IConnackPacket } from 'mqtt';
import { generate, type Packet } from 'mqtt-packet';
import t, { type Test } from 'tap';
import { Load } from '../bench/load.ts';
import { eventually, type Stage, stage } from './stage.ts';

/** Starts a stage with the poll `q` open in room `hall`. */
async function withPoll(t: Test, settings: object = {}): Promise<Stage> {
  const s = await stage(t);
  await s.openPoll('q', { room: 'hall', ...settings });
  return s;
}

t.test('a vote for a round that is not the open one is refused, and counted as closed', async (t) => {
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

t.test('votes of every QoS and form count once each', async (t) => {
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

t.test('bad input: a clear receipt or refusal, nothing counted, process alive', async (t) => {
  const s = await withPoll(t);
  await s.openPoll('many', { kind: 'multiple', min: 1, max: 2 });
  await s.openPoll('grade', { kind: 'rating', options: [], min: 1, max: 5 });
  await s.openPoll('over');
  await s.call('POST', '/api/polls/over/close', { operator: true });
  await s.call('POST', '/api/polls', { operator: true, body: { poll: 'draft', title: 'x', kind: 'rating' } });

  const cases: [name: string, topic: string, payload: string | Buffer, reason: string, about?: string][] = [
    ['unknown poll', 'vote/nowhere', 'a', 'unknown-poll', 'nowhere'],
    ['a poll that no object may be', 'vote/__proto__', 'a', 'unknown-poll', '__proto__'],
    ['a topic that names no poll', 'vote/a b', 'a', 'unknown-poll', '-'],
    ['too many levels', 'vote/q/x/y', 'a', 'unknown-poll', '-'],
    ['a room without a poll', 'vote/room/empty', 'a', 'no-open-poll', '-'],
    ['closed', 'vote/over', 'a', 'closed', 'over'],
    ['not open yet', 'vote/draft', '3', 'not-open', 'draft'],
    ['unknown option', 'vote/q', 'z', 'unknown-option', 'q'],
    ['__proto__', 'vote/q', '__proto__', 'unknown-option', 'q'],
    ['__proto__ as JSON', 'vote/q', '{"__proto__":{"c":"a"}}', 'bad-choice', 'q'],
    ['too many options', 'vote/many', 'a,b,c', 'too-many-options', 'many'],
    ['the same option twice', 'vote/many', 'a,a', 'duplicate-option', 'many'],
    ['not a number', 'vote/grade', 'good', 'not-a-number', 'grade'],
    ['out of range', 'vote/grade', '6', 'out-of-range', 'grade'],
    ['oversized', 'vote/q', 'x'.repeat(1025), 'too-large', 'q'],
    ['malformed JSON', 'vote/q', '{"c":', 'malformed-json', 'q'],
    ['malformed CBOR', 'vote/q', Buffer.from([0xa1, 0x61, 0x63]), 'malformed-cbor', 'q'],
    [
      'CBOR that says it is long',
      'vote/q',
      Buffer.from([0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
      'malformed-cbor',
      'q',
    ],
    ['JSON without a choice', 'vote/q', '{"n":1}', 'bad-choice', 'q'],
    ['a choice that is an object', 'vote/q', '{"c":{"a":1}}', 'unknown-option', 'q'],
    ['a choice that is an object of objects', 'vote/q', '{"c":{"a":{}}}', 'bad-choice', 'q'],
    ['a mandate that is a number', 'vote/q', '{"c":"a","m":1}', 'unknown-mandate', 'q'],
    ['a mandate that it does not carry', 'vote/q', '{"c":"a","m":"x"}', 'unknown-mandate', 'q'],
    ['a sequence that is none', 'vote/q', '{"c":"a","n":-1}', 'bad-sequence', 'q'],
    ['a time that is none', 'vote/q', '{"c":"a","t":"now"}', 'bad-time', 'q'],
    ['bytes that are no UTF-8', 'vote/q', Buffer.from([0x61, 0xff, 0xfe]), 'malformed-text', 'q'],
    ['empty', 'vote/q', '', 'empty', 'q'],
    ['blank', 'vote/q', ' \n', 'empty', 'q'],
  ];
  for (const [name, topic, payload, reason, about] of cases) {
    await t.test(name, async (t) => {
      const device = await s.device(`bad-${name.replaceAll(/\W/g, '')}`);
      t.equal(await device.subscribe(`receipt/${device.client.options.clientId}`), 0);
      await device.vote(topic, payload);
      t.equal(await device.next(`receipt/${device.client.options.clientId}`), `rejected ${about} ${reason}`);
      t.ok(device.client.connected, 'acknowledged, and still welcome');
    });
  }

  await t.test('a retained vote', async (t) => {
    const device = await s.device('retainer');
    await device.subscribe('receipt/retainer');
    await device.vote('vote/q', 'a', { retain: true });
    t.equal(await device.next('receipt/retainer'), 'rejected q retained');
  });

  await t.test('publishing anywhere else closes the connection', async (t) => {
    for (const topic of [
      '$SYS/x/new/clients',
      'poll/q',
      'result/q',
      'receipt/other',
      'device/other/status',
      'votes/q',
      'vote',
    ]) {
      const device = await s.device('intruder');
      device.client.publish(topic, 'x', { qos: 1 });
      await device.closed();
      t.pass(topic);
    }
  });

  await t.test('wildcards and other people’s topics cannot be subscribed to', async (t) => {
    const device = await s.device('listener');
    for (const topic of [
      '#',
      '+/q',
      'vote/q',
      'vote/#',
      'receipt/#',
      'receipt/+',
      'receipt/other',
      '$SYS/#',
      'device/other/status',
      'poll/#',
    ]) {
      t.equal(await device.subscribe(topic), 128, topic);
    }
    for (const topic of ['poll/q', 'room/hall', 'result/q', 'receipt/listener'])
      t.equal(await device.subscribe(topic, 1), 1, topic);
    await (await s.device('somebody')).vote('vote/q', 'zzz');
    t.notOk(
      device.messages.some(([topic]) => topic.startsWith('vote/')),
      'votes never travel',
    );
  });

  await t.test('a will on a vote topic, or on anybody’s but the own status', async (t) => {
    for (const topic of ['vote/q', 'device/other/status', '$SYS/x', 'poll/q']) {
      await t.rejects(
        s.device('willing', { will: { topic, payload: Buffer.from('a'), qos: 1, retain: false } }),
        { code: 5 },
        topic,
      );
    }
    const will = {
      topic: 'device/willing/status',
      payload: Buffer.from('{"online":false}'),
      qos: 1 as const,
      retain: true,
    };
    const device = await s.device('willing', { will });
    device.client.stream.destroy();
    const status = await eventually('the will', async () => {
      const { status, body } = await s.call('GET', '/api/devices/willing', { operator: true });
      return status === 200 ? body.status : undefined;
    });
    t.same(status, { online: false });
  });

  await t.test('client ids that are none', async (t) => {
    for (const clientId of ['a/b', 'a b', '#', 'x'.repeat(65), 'ümlaut'])
      await t.rejects(s.device(clientId), { code: 2 }, clientId);
  });

  await t.test('after all that nothing is counted, and everything is accounted for', async (t) => {
    const { accounting, ballots } = await s.resultAfter('q', 14);
    if (!accounting) throw new Error('operators see it');
    t.equal(ballots, 0);
    const rejected = accounting.rejected as Record<string, number>;
    const sum = Object.values(rejected).reduce((a, b) => a + b, 0);
    t.equal(accounting.received, sum);
    const { body } = await s.call('POST', '/api/polls/q/recount', { operator: true });
    t.match(body, { agrees: true, isBalanced: true });
    await (await s.device('good')).vote('vote/q', 'a');
    t.equal((await s.resultAfter('q', accounting.received + 1)).ballots, 1, 'alive');
  });
});

t.test('receipts tell of accepted votes too', async (t) => {
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

t.test('acknowledgements leave in the order the packets came', async (t) => {
  const s = await withPoll(t);
  const socket = await rawDevice(s, 'fast');
  const count = 3_000;
  const packets: Packet[] = Array.from({ length: count }, (_, i) => ({
    cmd: 'publish',
    // Votes, mistakes and statuses settle at different times; their acknowledgements may not show it.
    topic: ['vote/q', 'vote/nowhere', 'device/fast/status'][i % 3] as string,
    payload: i % 3 === 2 ? '{}' : 'a',
    qos: 1,
    messageId: i + 1,
    dup: false,
    retain: false,
  }));
  const acknowledged: number[] = [];
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (; rest.length >= 4; rest = rest.subarray(4)) acknowledged.push(rest.readUInt16BE(2));
  });
  socket.write(Buffer.concat(packets.map((packet) => generate(packet))));
  await eventually('all acknowledgements', async () => (acknowledged.length === count ? true : undefined));
  t.same(
    acknowledged,
    packets.map((_, i) => i + 1),
  );
});

t.test('MQTT over WebSocket, and nothing else there', async (t) => {
  const s = await withPoll(t);
  const url = s.http.replace('http', 'ws');
  const client = await mqtt.connectAsync(`${url}/mqtt`, { clientId: 'phone', protocolVersion: 4, reconnectPeriod: 0 });
  await client.publishAsync('vote/q', 'b', { qos: 1 });
  await client.endAsync();
  t.equal((await s.resultAfter('q', 1)).options[1]?.count, 1);
  await t.rejects(mqtt.connectAsync(`${url}/other`, { reconnectPeriod: 0, connectTimeout: 500 }, false));
});

t.test('state topics: what devices are told, and when', async (t) => {
  const s = await withPoll(t);
  const device = await s.device('d');
  await device.subscribe('poll/q', 1);
  await device.subscribe('room/hall', 1);
  await device.subscribe('result/q');
  t.match(JSON.parse(await device.next('poll/q')), { poll: 'q', status: 'open', round: 1, kind: 'single' });
  t.match(JSON.parse(await device.next('room/hall')), { poll: 'q', status: 'open' });
  await device.vote('vote/q', 'c');
  const result = await eventually('the result', async () => {
    const told = JSON.parse(await device.next('result/q'));
    return told.ballots === 1 ? told : undefined;
  });
  t.match(result, { options: [{ count: 0 }, { count: 0 }, { count: 1 }] });
  await s.call('POST', '/api/polls/q/close', { operator: true });
  const closed = await eventually('closed', async () => {
    const told = JSON.parse(await device.next('poll/q'));
    return told.status === 'closed' ? told : undefined;
  });
  t.equal(closed.round, 1);

  await s.openPoll('secret', { visibility: 'closed' });
  await s.call('POST', '/api/polls', {
    operator: true,
    body: { poll: 'quiz', title: 'What is 6 × 7?', kind: 'rating' },
  });
  const other = await s.device('e');
  await other.subscribe('result/secret');
  await other.subscribe('poll/quiz');
  await other.vote('vote/secret', 'a');
  await new Promise((resolve) => setTimeout(resolve, 1_300));
  t.same(
    other.messages.filter(([, payload]) => payload !== ''),
    [],
    'no figures before the close, no draft at all',
  );
});

t.test('sessions and retained messages survive a restart', async (t) => {
  const first = await withPoll(t);
  const options = { clean: false };
  const device = await first.device('keeper', options);
  t.equal(await device.subscribe('poll/q', 1), 1);
  await device.next('poll/q');
  await device.client.endAsync();
  await first.stop();
  const second = await stage(t, {}, first.directory);
  await second.call('POST', '/api/polls/q/close', { operator: true });
  const client = mqtt.connect(second.mqtt, {
    clientId: 'keeper',
    protocolVersion: 4,
    clean: false,
    reconnectPeriod: 0,
  });
  const told: string[] = [];
  client.on('message', (_topic, payload) => told.push(payload.toString()));
  const connack = await new Promise<IConnackPacket>((resolve) => client.once('connect', resolve));
  t.equal(connack.sessionPresent, true);
  await eventually('what it missed', async () => (told.some((text) => text.includes('"closed"')) ? true : undefined));
  await client.endAsync();
  const fresh = await second.device('fresh');
  await fresh.subscribe('poll/q');
  t.match(JSON.parse(await fresh.next('poll/q')), { status: 'closed' });
});

t.test('votes and results survive a restart, and the round goes on', async (t) => {
  const first = await withPoll(t);
  await (await first.device('d')).vote('vote/q', 'a');
  await first.stop();
  const second = await stage(t, {}, first.directory);
  await (await second.device('d')).vote('vote/q', 'b');
  const result = await second.resultAfter('q', 2);
  t.match(result.accounting, { received: 2, counted: 1, replaced: 1 });
});

t.test('the devices door: credentials, bound client ids, guests, revocation', async (t) => {
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
  await t.rejects(login('seat-1', secret, 'seat-9'), { code: 2 }, 'a secret is good for one client id');
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
  await t.rejects(login('seat-1', secret), { code: 4 }, 'revoked');
});

t.test('mosquitto_pub, a client that is not ours, votes', async (t) => {
  const s = await withPoll(t);
  const port = String(s.pollcast.mqttPort);
  for (const qos of ['0', '1', '2']) {
    const child = spawn('mosquitto_pub', ['-h', '127.0.0.1', '-p', port, '-q', qos, '-t', 'vote/q', '-m', 'a'], {
      stdio: 'inherit',
    });
    const [code] = await once(child, 'close');
    t.equal(code, 0);
  }
  t.equal((await s.resultAfter('q', 3)).ballots, 3);
});

t.test('closing: every vote acknowledged before it counts', async (t) => {
  const s = await withPoll(t);
  const devices = await Promise.all(Array.from({ length: 40 }, (_, i) => s.device(`d${i}`)));
  let accepted = 0;
  let refused = 0;
  for (const { client } of devices) {
    client.on('message', (_topic, payload) => (payload.toString().startsWith('accepted') ? accepted++ : refused++));
    await client.subscribeAsync(`receipt/${client.options.clientId}`);
  }
  const voting = devices.map(async ({ client }) => {
    for (let i = 0; i < 60; i++) await client.publishAsync('vote/q', 'abc'[i % 3] as string, { qos: 1 });
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  await s.call('POST', '/api/polls/q/close', { operator: true });
  await Promise.all(voting);
  const result = await s.resultAfter('q', 2_400);
  await eventually('all receipts', async () => (accepted + refused === 2_400 ? true : undefined));
  const { counted = 0, replaced = 0, redelivered = 0, rejected = {} } = result.accounting ?? {};
  t.equal(counted + replaced + redelivered, accepted, 'accepted, as the devices were told, is what counts');
  t.equal(rejected.closed ?? 0, refused);
  t.equal(result.final, true);
  t.ok(accepted > 0 && refused > 0, `the close came in the middle: ${accepted} accepted, ${refused} refused`);
});

t.test('closing does not wait for those who go on voting, here or elsewhere', async (t) => {
  const s = await withPoll(t);
  await s.openPoll('other');
  const load = new Load({ port: s.pollcast.mqttPort, connections: 40, topic: 'vote/other' });
  t.teardown(() => load.close());
  await load.connect();
  const voting = load.saturate(4_000, 32);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const startMs = Date.now();
  await s.call('POST', '/api/polls/q/close', { operator: true });
  const tookMs = Date.now() - startMs;
  t.ok((await voting) > 4_000, 'the broker was busy all the time');
  t.ok(tookMs < 2_000, `${tookMs} ms`);
});

t.test('a burst of statuses and votes in one write arrives whole', async (t) => {
  const s = await withPoll(t);
  const socket = await rawDevice(s, 'busy');
  const status = generate({
    cmd: 'publish',
    topic: 'device/busy/status',
    payload: '{"battery":50}',
    qos: 0,
    dup: false,
    retain: false,
  });
  const vote = generate({ cmd: 'publish', topic: 'vote/q', payload: 'a', qos: 0, dup: false, retain: false });
  const burst = [...Array.from({ length: 1_500 }, () => status), ...Array.from({ length: 500 }, () => vote)];
  socket.write(Buffer.concat(burst));
  t.equal((await s.resultAfter('q', 500)).votes, 500);
  t.notOk(socket.destroyed);
});

t.test('a session keeps the filters that were granted and no others', async (t) => {
  const first = await withPoll(t);
  const device = await first.device('keeper', { clean: false });
  const many = Array.from({ length: 100 }, (_, i) => `poll/p${i}`);
  const filters = ['poll/q', '#', 'receipt/other', ...many].map((topic) => ({ topic, qos: 1 as const }));
  const packet = generate({ cmd: 'subscribe', messageId: 9, subscriptions: filters });
  const suback = new Promise<{ granted: number[] }>((resolve) => {
    device.client.on(
      'packetreceive',
      (got) => got.cmd === 'suback' && resolve(got as unknown as { granted: number[] }),
    );
  });
  device.client.stream.write(packet);
  const { granted } = await suback;
  t.same(granted.slice(0, 3), [1, 128, 128]);
  t.equal(granted.filter((qos) => qos === 1).length, 32, 'so many and no more');
  await device.client.endAsync();
  await first.openPoll('hidden-from-it');
  await first.call('POST', '/api/polls/q/close', { operator: true });
  const again = await first.device('keeper', { clean: false });
  await again.next('poll/q');
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.same([...new Set(again.messages.map(([topic]) => topic))], ['poll/q']);
});

t.test('a deleted poll leaves nothing behind, and its id starts afresh', async (t) => {
  const s = await withPoll(t);
  await (await s.device('d')).vote('vote/q', 'a');
  await s.resultAfter('q', 1);
  await s.call('POST', '/api/polls/q/close', { operator: true });
  t.equal((await s.call('DELETE', '/api/polls/q', { operator: true })).status, 204);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  const device = await s.device('e');
  for (const topic of ['poll/q', 'room/hall', 'result/q']) await device.subscribe(topic);
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.same(device.messages, [], 'nothing retained');
  await s.call('POST', '/api/polls', { operator: true, body: { poll: 'q', title: 'Again', kind: 'rating' } });
  await device.vote('vote/q', '3');
  t.match((await s.call('GET', '/api/polls/q/result', { operator: true })).body, { round: 0, ballots: 0, votes: 0 });
  t.equal((await s.call('POST', '/api/polls/q/recount', { operator: true })).status, 409);
  await s.call('POST', '/api/polls/q/open', { operator: true });
  t.match((await s.call('GET', '/api/polls/q/result', { operator: true })).body, { round: 2, ballots: 0 });
  t.equal((await s.call('GET', '/api/polls/q/ballots.csv?round=1', { operator: true })).status, 404);
});

t.test('stopping does not wait for phones on WebSockets', async (t) => {
  const s = await withPoll(t);
  const client = await mqtt.connectAsync(`${s.http.replace('http', 'ws')}/mqtt`, {
    clientId: 'phone',
    protocolVersion: 4,
    reconnectPeriod: 0,
  });
  const startMs = Date.now();
  t.equal(await s.pollcast.stop(), true);
  t.ok(Date.now() - startMs < 4_000, `${Date.now() - startMs} ms`);
  await client.endAsync(true);
});

/** A connected device that is nothing but a socket. */
async function rawDevice(s: Stage, clientId: string): Promise<Socket> {
  const socket = connect(s.pollcast.mqttPort, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    generate({ cmd: 'connect', clientId, protocolVersion: 4, protocolId: 'MQTT', clean: true, keepalive: 60 }),
  );
  await once(socket, 'data');
  return socket;
}
