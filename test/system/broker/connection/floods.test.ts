import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate, type IPacket, parser } from 'mqtt-packet';
import t, { type Test } from 'tap';
import { eventually } from '../../../support/eventually.ts';
import { type Stage, stage } from '../../../support/stage.ts';
import { rawDevice } from '../devices.ts';

/** How many polls are open, each of which has retained topics. */
const POLLS = 70;
/** How many votes of another device must be acknowledged while the flood lasts. */
const VOTES = 20;
/** How many packets each of many connections sends: less than what a single connection may send at once. */
const EACH = 90;

t.setTimeout(180_000);

/** Starts the product with many polls, whose states have been announced. */
async function withManyPolls(t: Test): Promise<Stage> {
  const s = await stage(t);
  for (let i = 0; i < POLLS; i++) await s.openPoll(`q${i}`);
  const device = await s.device('reader');
  await eventually('the last announcement', async () => {
    await device.subscribe(`poll/q${POLLS - 1}`, 1);
    return device.messages.some(([, payload]) => payload.includes('"open"')) ? true : undefined;
  });
  return s;
}

/** Counts the packets that a socket receives, by type. */
function received(socket: Socket): Map<string, number> {
  const counts = new Map<string, number>();
  const reading = parser({ protocolVersion: 4 });
  reading.on('packet', ({ cmd }: IPacket) => counts.set(cmd, (counts.get(cmd) ?? 0) + 1));
  socket.on('data', (chunk: Buffer) => reading.parse(chunk));
  return counts;
}

const subscribe = (messageId: number, filters: number) =>
  generate({
    cmd: 'subscribe',
    messageId,
    subscriptions: Array.from({ length: filters }, (_, i) => ({ topic: `poll/q${(messageId + i) % POLLS}`, qos: 0 })),
  });
const unsubscribe = (messageId: number, filters: number) =>
  generate({
    cmd: 'unsubscribe',
    messageId,
    unsubscriptions: Array.from({ length: filters }, (_, i) => `poll/q${(messageId + i) % POLLS}`),
  });
const pubrel = (messageId: number) => generate({ cmd: 'pubrel', messageId });
const puback = (messageId: number) => generate({ cmd: 'puback', messageId });
const pingreq = () => generate({ cmd: 'pingreq' });

const metric = async (s: Stage, name: string): Promise<number> => {
  const text = await (await fetch(`${s.http}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
};

for (const [name, packets, packet, answer] of [
  ['SUBSCRIBE packets of 15 filters', 1_000, (id: number) => subscribe(id, 15), 'suback'],
  ['SUBSCRIBE packets of one filter', 5_000, (id: number) => subscribe(id, 1), 'suback'],
  ['UNSUBSCRIBE packets of 15 filters', 1_000, (id: number) => unsubscribe(id, 15), 'unsuback'],
  ['PINGREQ packets', 5_000, pingreq, 'pingresp'],
  ['PUBREL packets', 20_000, pubrel, 'pubcomp'],
] as const) {
  t.test(`votes are acknowledged while another connection floods the broker with ${name}`, async (t) => {
    const s = await withManyPolls(t);
    const good = await s.device('good');
    const flooder = await rawDevice(s, 'flooder');
    const counts = received(flooder);
    flooder.write(Buffer.concat(Array.from({ length: packets }, (_, i) => packet((i % 65_535) + 1))));
    await eventually('the first answer', async () => (counts.get(answer) ? true : undefined));
    for (let i = 0; i < VOTES; i++) await good.vote(`vote/q${i}`, 'a');
    t.ok(good.client.connected, 'the device stays connected');
    t.ok((counts.get(answer) ?? 0) < packets, `${counts.get(answer)} of ${packets} packets had been answered`);
    t.notOk(flooder.destroyed, 'the flood is slowed down, not cut off');
    t.equal(await metric(s, 'pollcast_votes_failed_total'), 0, 'the broker keeps its lease');
  });
}

t.test('a flood of PUBACK packets does not keep other devices from voting', async (t) => {
  const s = await withManyPolls(t);
  const good = await s.device('good');
  const flooder = await rawDevice(s, 'flooder');
  const counts = received(flooder);
  flooder.write(Buffer.concat([...Array.from({ length: 20_000 }, (_, i) => puback(i + 1)), pingreq()]));
  for (let i = 0; i < VOTES; i++) await good.vote(`vote/q${i}`, 'a');
  t.equal(counts.get('pingresp') ?? 0, 0, 'the packet behind the flood still waits');
  t.equal(await metric(s, 'pollcast_votes_failed_total'), 0);
});

t.test('many connections that each send a little do not keep other devices from voting', async (t) => {
  const s = await withManyPolls(t);
  const good = await s.device('good');
  const flooders = await Promise.all(Array.from({ length: 200 }, (_, i) => rawDevice(s, `flooder-${i}`)));
  const counts = flooders.map(received);
  for (const flooder of flooders) {
    flooder.write(Buffer.concat(Array.from({ length: EACH }, (_, i) => subscribe(i + 1, 15))));
  }
  for (let i = 0; i < VOTES / 4; i++) await good.vote(`vote/q${i}`, 'a');
  const answered = () => counts.reduce((sum, of) => sum + (of.get('suback') ?? 0), 0);
  t.ok(answered() < 200 * EACH, `${answered()} packets had been answered`);
  t.equal(await metric(s, 'pollcast_votes_failed_total'), 0);
  await eventually('everything that fits into a burst', async () => (answered() > 500 ? true : undefined));
});

t.test('devices that connect all the time do not keep other devices from voting', async (t) => {
  const s = await withManyPolls(t);
  const good = await s.device('good');
  let isOver = false;
  let connects = 0;
  const flood = Array.from({ length: 50 }, async (_, i) => {
    while (!isOver) {
      const socket = await rawDevice(s, `flooder-${i}`);
      connects++;
      socket.destroy();
      await once(socket, 'close');
    }
  });
  for (let i = 0; i < VOTES; i++) await good.vote(`vote/q${i}`, 'a');
  isOver = true;
  await Promise.all(flood);
  t.ok(connects > 0);
  t.ok(good.client.connected);
  t.equal(await metric(s, 'pollcast_votes_failed_total'), 0);
});

t.test('a device that subscribes to a whole hall’s topics at once is not slowed down', async (t) => {
  const s = await withManyPolls(t);
  const device = await rawDevice(s, 'd');
  const counts = received(device);
  device.write(subscribe(1, 32));
  await eventually('all retained messages', async () => (counts.get('publish') === 32 ? true : undefined));
  await sleep(100);
  t.equal(counts.get('publish'), 32, 'each topic’s state arrives once');
  t.equal(await metric(s, 'pollcast_mqtt_slowed_total{packet="subscribe"}'), 0);
});
