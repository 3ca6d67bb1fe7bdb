/** Exchanges of packets, byte by byte, as MQTT 3.1.1 prescribes them. letter.test.ts has the form of single packets. */
import { type IPublishPacket, type Packet, parser } from 'mqtt-packet';
import t from 'tap';
import { WebSocket } from 'ws';
import { eventually } from '../../../support/eventually.ts';
import { bytesOf, connectPacket, isAlive, type Line, openLine, spaced } from '../../../support/network/line.ts';
import { stage } from '../../../support/stage.ts';
import { withPoll } from '../devices.ts';

/** `vote/q` as an MQTT string. */
const TOPIC = '00 06 76 6f 74 65 2f 71';
const ACCEPTED = '20 02 00 00';

/** The messages that a line has received so far. */
async function messages(line: Line): Promise<IPublishPacket[]> {
  await isAlive(line);
  const found: IPublishPacket[] = [];
  const reading = parser();
  reading.on('packet', (packet: Packet) => packet.cmd === 'publish' && found.push(packet));
  reading.parse(line.received());
  return found;
}

/** The messages that have come after the first `known`, once there are some. */
const messagesAfter = (line: Line, known: number) =>
  eventually('a message', async () => {
    const found = (await messages(line)).slice(known);
    return found.length > 0 ? found : undefined;
  });

const subscribe = (messageId: number, topic: string, qos: 0 | 1 | 2): Packet => ({
  cmd: 'subscribe',
  messageId,
  subscriptions: [{ topic, qos }],
});
const unsubscribe = (messageId: number, ...unsubscriptions: string[]): Packet => ({
  cmd: 'unsubscribe',
  messageId,
  unsubscriptions,
});

for (const via of ['tcp', 'ws'] as const) {
  t.test(`${via}: a refusal is the last answer [MQTT-3.1.4-5, 3.2.2-4, 3.2.2-5]`, async (t) => {
    const s = await stage(t, { door: 'devices' });
    await s.openPoll('q');
    const { body } = await s.call('POST', '/api/devices', { operator: true, body: { device: 'd' } });
    const login = { username: 'd', password: Buffer.from(body.secret), clean: false };
    const will = { topic: 'poll/q', payload: Buffer.from('x'), qos: 0, retain: false };
    const session = await openLine(t, s, via);
    session.send(connectPacket('d', login));
    t.equal(await session.next(4), ACCEPTED);
    for (const [code, connect] of [
      ['01', bytesOf('10 0d 00 04 4d 51 54 54 63 00 00 3c 00 01 64')],
      ['02', bytesOf(connectPacket('a/b', login))],
      ['02', bytesOf('10 0c 00 04 4d 51 54 54 04 00 00 3c 00 00')],
      ['04', bytesOf(connectPacket('d', { ...login, password: Buffer.from('wrong') }))],
      ['05', bytesOf(connectPacket('d', { ...login, will }))],
    ] as const) {
      const line = await openLine(t, s, via);
      line.send(Buffer.concat([connect, bytesOf(`32 0b ${TOPIC} 00 01 61 c0 00`)]));
      await line.closed();
      t.equal(spaced(line.received()), `20 02 00 ${code}`, 'Session Present is 0, although there is a session');
    }
    t.ok(await isAlive(session), 'who was refused ends no connection of the same id');
    t.equal((await s.call('GET', '/api/polls/q/result', { operator: true })).body.votes, 0);
  });

  t.test(`${via}: packets need not wait for CONNACK, and are answered after it [MQTT-3.2.0-1, 3.12.4-1]`, async (t) => {
    const s = await withPoll(t);
    const line = await openLine(t, s, via);
    const rest = `82 06 00 07 00 01 61 00 32 0b ${TOPIC} 00 01 61 c0 00`;
    line.send(Buffer.concat([bytesOf(connectPacket('a')), bytesOf(rest)]));
    t.equal(await line.next(4), ACCEPTED);
    const answers = await line.next(11);
    for (const answer of ['90 03 00 07 80', '40 02 00 01', 'd0 00']) t.match(answers, answer);
  });

  t.test(`${via}: a vote at QoS 2 is taken once until it is released [MQTT-4.3.3-2]`, async (t) => {
    const s = await withPoll(t);
    const line = await openLine(t, s, via);
    line.send(connectPacket('a'));
    await line.next(4);
    for (const [sent, answer] of [
      [`34 0b ${TOPIC} 00 01 61`, '50 02 00 01'],
      [`3c 0b ${TOPIC} 00 01 61`, '50 02 00 01'],
      ['62 02 00 01', '70 02 00 01'],
      ['62 02 00 01', '70 02 00 01'],
      [`34 0b ${TOPIC} 00 01 62`, '50 02 00 01'],
      ['62 02 00 01', '70 02 00 01'],
      ['62 02 00 09', '70 02 00 09'],
    ] as const) {
      line.send(sent);
      t.equal(await line.next(4), answer, sent);
    }
    const { options, accounting } = await s.resultAfter('q', 2);
    t.match(accounting, { received: 2, counted: 1, replaced: 1, redelivered: 0 });
    t.same(
      options.map(({ count }) => count),
      [0, 1, 0],
      'after PUBCOMP, the packet id stands for a new message',
    );
  });
}

t.test('a byte order mark is part of the text [MQTT-1.5.3-3]', async (t) => {
  const s = await withPoll(t);
  const refused = await openLine(t, s);
  refused.send('10 10 00 04 4d 51 54 54 04 02 00 3c 00 04 ef bb bf 61');
  t.equal(await refused.next(4), '20 02 00 02', 'in a client id, where it is not allowed');
  const line = await openLine(t, s);
  line.send(connectPacket('a'));
  await line.next(4);
  line.send(subscribe(1, '\ufeffpoll/q', 0));
  t.equal(await line.next(5), '90 03 00 01 80', 'in a filter');
});

t.test('topics are compared byte for byte [MQTT-4.7.3-4]', async (t) => {
  const s = await withPoll(t);
  const line = await openLine(t, s);
  line.send(connectPacket('a'));
  await line.next(4);
  for (const filter of ['Poll/q', '/poll/q', 'poll/q/', 'poll//q', 'poll/q ']) {
    line.send(subscribe(1, filter, 0));
    t.equal(await line.next(5), '90 03 00 01 80', filter);
  }
  for (const topic of ['Vote/q', '/vote/q', 'VOTE/q']) {
    const other = await openLine(t, s);
    other.send(connectPacket('b'));
    await other.next(4);
    other.send({ cmd: 'publish', topic, payload: 'a', qos: 1, messageId: 1, dup: false, retain: false });
    await other.closed();
    t.equal(spaced(other.received()), ACCEPTED, topic);
  }
});

t.test('a will is discarded with DISCONNECT, and published without one [MQTT-3.1.2-8, 3.14.4-3]', async (t) => {
  const s = await withPoll(t);
  for (const [id, isPolite] of [
    ['polite', true],
    ['lost', false],
  ] as const) {
    const line = await openLine(t, s);
    const will = { topic: `device/${id}/status`, payload: Buffer.from('{"will":1}'), qos: 1, retain: false };
    line.send(connectPacket(id, { will }));
    t.equal(await line.next(4), ACCEPTED);
    if (isPolite) line.send('e0 00');
    else line.stream.destroy();
    await line.closed();
  }
  const statusOf = async (id: string) => {
    const { status, body } = await s.call('GET', `/api/devices/${id}`, { operator: true });
    return status === 200 ? body.status : undefined;
  };
  t.same(await eventually('the will', () => statusOf('lost')), { will: 1 });
  t.equal(await statusOf('polite'), undefined);
});

t.test(
  'a subscription is replaced by one with the same filter, and ends with it [MQTT-3.8.4-3, 3.10.4-1]',
  async (t) => {
    const s = await withPoll(t);
    const line = await openLine(t, s);
    line.send(connectPacket('a'));
    await line.next(4);
    let known = 0;
    for (const [asked, qos] of [
      [0, 0],
      [1, 1],
      [2, 1],
    ] as const) {
      const before = line.received().length;
      line.send(subscribe(asked + 1, 'poll/q', asked));
      const [message, ...more] = await messagesAfter(line, known);
      t.match(spaced(line.received().subarray(before)), `90 03 00 0${asked + 1} 0${asked}`, 'SUBACK');
      t.match(message, { topic: 'poll/q', qos, retain: true, dup: false }, 'the retained message comes again');
      t.equal(more.length, 0);
      if (qos === 1) line.send({ cmd: 'puback', messageId: message?.messageId ?? 0 });
      known++;
    }
    const before = line.received().length;
    line.send(unsubscribe(9, 'poll/Q', 'Poll/q', 'poll/'));
    await isAlive(line);
    t.match(spaced(line.received().subarray(before)), 'b0 02 00 09', 'other filters');

    await s.call('POST', '/api/polls/q/close', { operator: true });
    const statuses = await eventually('the end of the poll', async () => {
      const found = (await messages(line)).slice(known);
      return found.some(({ payload }) => JSON.parse(String(payload)).status === 'closed') ? found : undefined;
    });
    for (const message of statuses) t.match(message, { topic: 'poll/q', qos: 1, retain: false, dup: false }, 'live');
    const ids = statuses.map(({ messageId }) => messageId);
    t.equal(new Set([0, ...ids]).size, ids.length + 1, 'packet ids in use are all different, and not 0 [MQTT-2.3.1-4]');
    t.equal(new Set(statuses.map(({ payload }) => String(payload))).size, statuses.length, 'each message comes once');

    line.send(unsubscribe(10, 'poll/q'));
    known += statuses.length;
    await isAlive(line);
    const witness = await s.device('witness');
    await witness.subscribe('poll/q');
    await s.call('POST', '/api/polls/q/reopen', { operator: true });
    await eventually('the next round', async () =>
      witness.messages.some(([, payload]) => JSON.parse(payload).round === 2) ? true : undefined,
    );
    t.equal((await messages(line)).length, known, 'nothing more after UNSUBACK [MQTT-3.10.4-2]');
  },
);

t.test('retained messages outlive the session of a subscriber [MQTT-3.1.2-7]', async (t) => {
  const s = await withPoll(t);
  for (const clean of [false, true, true]) {
    const line = await openLine(t, s);
    line.send(connectPacket('a', { clean }));
    await line.next(4);
    line.send(subscribe(1, 'poll/q', 0));
    const [message] = await messagesAfter(line, 0);
    t.match(message, { topic: 'poll/q', qos: 0, retain: true });
    line.send('e0 00');
    await line.closed();
  }
});

t.test('what is sent has a DUP of its own, and no packet id at QoS 0 [MQTT-3.3.1-3, 2.3.1-5]', async (t) => {
  const s = await withPoll(t);
  const line = await openLine(t, s);
  line.send(connectPacket('a'));
  await line.next(4);
  line.send(subscribe(1, 'receipt/a', 0));
  t.equal(await line.next(5), '90 03 00 01 00');
  line.send(`3a 0b ${TOPIC} 00 01 61`);
  t.equal(await line.next(4), '40 02 00 01');
  const receipt = Buffer.concat([Buffer.from([0x30, 21, 0, 9]), Buffer.from('receipt/arecorded q')]);
  t.equal(await line.next(receipt.length), spaced(receipt));
});

t.test('the subprotocol of a WebSocket is mqtt [MQTT-6.0.0-4]', async (t) => {
  const s = await withPoll(t);
  for (const [offered, chosen] of [
    [['mqtt'], 'mqtt'],
    [['chat', 'mqtt'], 'mqtt'],
    [['mqttv3.1'], 'mqttv3.1'],
  ] as const) {
    const socket = new WebSocket(`${s.http.replace('http', 'ws')}/mqtt`, [...offered]);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    t.equal(socket.protocol, chosen);
    socket.terminate();
  }
});
