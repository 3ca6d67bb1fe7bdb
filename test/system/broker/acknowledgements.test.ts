import { generate, type Packet } from 'mqtt-packet';
import t from 'tap';
import { Load } from '../../../bench/load.ts';
import { eventually } from '../../support/eventually.ts';
import { rawDevice, withPoll } from './devices.ts';

t.test('acknowledgements are sent in the order in which the packets arrived', async (t) => {
  const s = await withPoll(t);
  const socket = await rawDevice(s, 'fast');
  const count = 3_000;
  const packets: Packet[] = Array.from({ length: count }, (_, i) => ({
    cmd: 'publish',
    // Votes, rejections and statuses settle at different times, which must not change the order.
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

t.test('closing: a vote counts if and only if its receipt says accepted', async (t) => {
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
  t.equal(counted + replaced + redelivered, accepted, 'every accepted vote is accounted for, and no other vote is');
  t.equal(rejected.closed ?? 0, refused);
  t.equal(result.final, true);
  t.ok(
    accepted > 0 && refused > 0,
    `the poll was closed while devices voted: ${accepted} accepted, ${refused} refused`,
  );
});

t.test('closing does not wait for devices that keep voting in another poll', async (t) => {
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
  t.ok((await voting) > 4_000, 'the broker was under load throughout');
  t.ok(tookMs < 2_000, `closing took ${tookMs} ms`);
});

t.test('a burst of statuses and votes in one write arrives completely', async (t) => {
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
