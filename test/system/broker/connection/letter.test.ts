import t, { type Test } from 'tap';
import { createWebSocketStream, WebSocket } from 'ws';
import { eventually } from '../../../support/eventually.ts';
import { bytesOf, connectPacket, isAlive, openLine, spaced } from '../../../support/network/line.ts';
import type { Stage } from '../../../support/stage.ts';
import { withPoll } from '../devices.ts';

/** `vote/q` as an MQTT string. */
const TOPIC = '00 06 76 6f 74 65 2f 71';
/** Protocol name and level of MQTT 3.1.1. */
const MQTT = '00 04 4d 51 54 54 04';
/** The client id `a`. */
const ID = '00 01 61';
const BAD_TEXT = {
  'U+0000': '00 03 61 00 62',
  'a lone continuation byte': '00 02 61 80',
  'a byte that UTF-8 never has': '00 02 61 ff',
  'an unfinished sequence': '00 02 61 c3',
  'an overlong NUL': '00 03 61 c0 80',
  'an overlong slash': '00 03 61 c0 af',
  'a surrogate': '00 04 61 ed a0 80',
  'a pair of surrogates': '00 07 61 ed a0 bd ed b8 80',
  'beyond U+10FFFF': '00 05 61 f4 90 80 80',
} as const;

/** A packet with its Remaining Length. */
function packet(first: string, ...fields: string[]): string {
  const body = bytesOf(fields.join(' '));
  return `${first} ${body.length.toString(16).padStart(2, '0')} ${spaced(body)}`;
}

const connect = (flags: string, ...payload: string[]) => packet('10', MQTT, flags, '00 3c', ...payload);

/** Sends packets after CONNECT was accepted; each must close the connection without an answer. */
const AFTER_CONNECT: Record<string, string> = {
  'a type that does not exist': '00 00',
  'the reserved type 15': 'f0 00',
  'a second CONNECT [MQTT-3.1.0-2]': connect('02', ID),
  CONNACK: '20 02 00 00',
  SUBACK: '90 03 00 01 00',
  UNSUBACK: 'b0 02 00 01',
  PINGRESP: 'd0 00',
  'QoS 3 [MQTT-3.3.1-4]': packet('36', TOPIC, '00 01 61'),
  'DUP with QoS 0 [MQTT-3.3.1-2]': packet('38', TOPIC, '61'),
  'PUBLISH with packet id 0 [MQTT-2.3.1-1]': packet('32', TOPIC, '00 00 61'),
  'PUBLISH with QoS 2 and packet id 0': packet('34', TOPIC, '00 00 61'),
  'PUBLISH without a packet id': packet('32', TOPIC),
  'PUBLISH without a topic': '30 00',
  'PUBLISH with an empty topic [MQTT-4.7.3-1]': packet('30', '00 00 61'),
  'PUBLISH whose topic is longer than the packet': packet('30', '00 09 76 6f'),
  'PUBLISH to a wildcard [MQTT-3.3.2-2]': packet('30', '00 06 76 6f 74 65 2f 23 61'),
  'PUBLISH to a wildcard level': packet('30', '00 06 76 6f 74 65 2f 2b 61'),
  'PUBACK with packet id 0': '40 02 00 00',
  'PUBACK without a packet id': '40 00',
  'PUBACK with half a packet id': '40 01 01',
  'PUBACK that is too long': '40 03 00 01 00',
  'PUBACK with flags [MQTT-2.2.2-2]': '42 02 00 01',
  'PUBREC with packet id 0': '50 02 00 00',
  'PUBREC with flags': '51 02 00 01',
  'PUBREL without its flags [MQTT-3.6.1-1]': '60 02 00 01',
  'PUBREL with packet id 0': '62 02 00 00',
  'PUBREL that is too long': '62 04 00 01 00 00',
  'PUBCOMP with packet id 0': '70 02 00 00',
  'PUBCOMP with flags': '74 02 00 01',
  'SUBSCRIBE without its flags [MQTT-3.8.1-1]': packet('80', '00 01', TOPIC, '00'),
  'SUBSCRIBE with packet id 0': packet('82', '00 00', TOPIC, '00'),
  'SUBSCRIBE without a filter [MQTT-3.8.3-3]': '82 02 00 01',
  'SUBSCRIBE with an empty filter': packet('82', '00 01 00 00 00'),
  'SUBSCRIBE without a QoS': packet('82', '00 01', TOPIC),
  'SUBSCRIBE with QoS 3 [MQTT-3.8.3-4]': packet('82', '00 01', TOPIC, '03'),
  'SUBSCRIBE with reserved bits': packet('82', '00 01', TOPIC, '05'),
  'SUBSCRIBE whose second filter is cut off': packet('82', '00 01', TOPIC, '00 00 05 61'),
  'SUBSCRIBE with # before the end [MQTT-4.7.1-2]': packet('82', '00 01 00 03 23 2f 61 00'),
  'SUBSCRIBE with + in a level [MQTT-4.7.1-3]': packet('82', '00 01 00 02 61 2b 00'),
  'UNSUBSCRIBE without its flags [MQTT-3.10.1-1]': packet('a0', '00 01', TOPIC),
  'UNSUBSCRIBE with packet id 0': packet('a2', '00 00', TOPIC),
  'UNSUBSCRIBE without a filter [MQTT-3.10.3-2]': 'a2 02 00 01',
  'UNSUBSCRIBE with an empty filter': packet('a2', '00 01 00 00'),
  'PINGREQ with a payload': 'c0 01 00',
  'PINGREQ with flags': 'c1 00',
  'DISCONNECT with a payload': 'e0 01 00',
  'DISCONNECT with flags [MQTT-3.14.1-1]': 'e1 00',
  'a Remaining Length of five bytes': '30 80 80 80 80 01',
};
for (const [name, text] of Object.entries(BAD_TEXT)) {
  AFTER_CONNECT[`PUBLISH with ${name} in its topic [MQTT-1.5.3-1]`] = packet('32', text, '00 01 61');
  AFTER_CONNECT[`SUBSCRIBE with ${name} in a filter`] = packet('82', '00 01', text, '00');
  AFTER_CONNECT[`UNSUBSCRIBE with ${name} in a filter`] = packet('a2', '00 01', text);
}

/** First packets that must close the connection without an answer. */
const AT_CONNECT: Record<string, string> = {
  'another packet than CONNECT [MQTT-3.1.0-1]': 'c0 00',
  'CONNECT with flags': connect('02', ID).replace(/^10/, '11'),
  'another protocol name [MQTT-3.1.2-1]': packet('10', '00 04 4d 51 54 58 04 02 00 3c', ID),
  'the reserved flag [MQTT-3.1.2-3]': connect('03', ID),
  'a will QoS without a will [MQTT-3.1.2-13]': connect('0a', ID),
  'a retained will without a will [MQTT-3.1.2-15]': connect('22', ID),
  'will QoS 3 [MQTT-3.1.2-14]': connect('1e', ID, TOPIC, '00 00'),
  'a password without a user name [MQTT-3.1.2-22]': connect('42', ID, '00 01 70'),
  'a will without a topic': connect('06', ID),
  'a user name that is missing': connect('82', ID),
  'a password that is missing': connect('c2', ID, '00 01 75'),
  'no client id': connect('02'),
  'more than its fields': connect('02', ID, '00'),
  'no flags': packet('10', MQTT),
};
for (const [name, text] of Object.entries(BAD_TEXT)) {
  AT_CONNECT[`${name} in the client id [MQTT-1.5.3-2]`] = connect('02', text);
  AT_CONNECT[`${name} in the user name`] = connect('82', ID, text);
  AT_CONNECT[`${name} in the will topic`] = connect('06', ID, text, '00 00');
}

for (const via of ['tcp', 'ws'] as const) {
  t.test(`${via}: malformed packets close the connection [MQTT-4.8.0-1]`, async (t) => {
    const s = await withPoll(t);
    for (const [name, bytes] of Object.entries(AFTER_CONNECT)) {
      const line = await openLine(t, s, via);
      line.send(connectPacket('a'));
      await line.next(4);
      line.send(bytes);
      await line.closed();
      t.equal(spaced(line.received()), '20 02 00 00', `${name}: ${bytes}`);
    }
    for (const [name, bytes] of Object.entries(AT_CONNECT)) {
      const line = await openLine(t, s, via);
      line.send(bytes);
      await line.closed();
      t.equal(spaced(line.received()), '', `${name}: ${bytes}`);
    }
    const { body } = await s.call('GET', '/api/polls/q/result', { operator: true });
    t.equal(body.votes, 0, 'nothing was taken for a vote');
  });

  t.test(`${via}: an unknown protocol level is answered with CONNACK 1 [MQTT-3.1.2-2]`, async (t) => {
    const s = await withPoll(t);
    for (const start of [
      '00 04 4d 51 54 54 63',
      '00 04 4d 51 54 54 06',
      '00 04 4d 51 54 54 03',
      '00 04 4d 51 54 54 84',
      '00 06 4d 51 49 73 64 70 04',
    ]) {
      const line = await openLine(t, s, via);
      line.send(`${packet('10', start, '02 00 3c', ID)} c0 00`);
      await line.closed();
      t.equal(spaced(line.received()), '20 02 00 01', start);
    }
  });

  t.test(`${via}: well-formed packets are accepted`, async (t) => {
    const s = await withPoll(t);
    const line = await openLine(t, s, via);
    line.send(connectPacket('a'));
    await line.next(4);
    line.send(packet('32', TOPIC, 'ff ff 61'));
    t.equal(await line.next(4), '40 02 ff ff');
    line.send(packet('34', TOPIC, '00 01 61'));
    t.equal(await line.next(4), '50 02 00 01');
    line.send('62 02 00 01');
    t.equal(await line.next(4), '70 02 00 01');
    for (const late of ['40 02 00 05', '70 02 00 05']) line.send(late);
    line.send(packet('82', '00 07 00 03 61 2f 23 00'));
    t.equal(await line.next(5), '90 03 00 07 80', 'a filter that is not granted does not close the connection');
    line.send(packet('a2', '00 02', TOPIC));
    t.equal(await line.next(4), 'b0 02 00 02', 'UNSUBACK, although there is no such subscription [MQTT-3.10.4-5]');
    line.send('c0 80 00');
    t.equal(await line.next(2), 'd0 00', 'a Remaining Length may take more bytes than it needs');
    t.ok(await isAlive(line));
    line.send('e0 00');
    await line.closed();
  });

  t.test(`${via}: each filter of SUBSCRIBE is answered, also a repeated one [MQTT-3.8.4-5]`, async (t) => {
    const s = await withPoll(t);
    const line = await openLine(t, s, via);
    line.send(connectPacket('a'));
    await line.next(4);
    const entry = (topic: string, qos: string) => `00 0${topic.length} ${spaced(Buffer.from(topic))} ${qos}`;
    line.send(
      packet(
        '82',
        '00 09',
        entry('poll/x', '00'),
        entry('#', '00'),
        entry('poll/x', '01'),
        entry('#', '01'),
        entry('room/y', '02'),
      ),
    );
    t.equal(await line.next(9), '90 07 00 09 00 80 01 80 02');
    line.send(packet('82', '00 0a', entry('poll/x', '01')));
    t.equal(await line.next(5), '90 03 00 0a 01');
    const many = Array.from({ length: 200 }, () => entry('poll/x', '01')).join(' ');
    const body = bytesOf(`00 0b ${many}`);
    line.send(Buffer.concat([Buffer.from([0x82, (body.length & 0x7f) | 0x80, body.length >> 7]), body]));
    t.equal(await line.next(205), `90 ca 01 00 0b${' 01'.repeat(200)}`, 'a Remaining Length of two bytes');
  });

  t.test(`${via}: client ids of MQTT 3.1 may have up to 64 characters`, async (t) => {
    const s = await withPoll(t);
    for (const [length, answer] of [
      [23, '00'],
      [24, '00'],
      [64, '00'],
      [65, '02'],
    ] as const) {
      const line = await openLine(t, s, via);
      line.send(connectPacket('x'.repeat(length), { protocolId: 'MQIsdp', protocolVersion: 3 }));
      t.equal(await line.next(4), `20 02 00 ${answer}`, `${length} characters`);
    }
  });
}

t.test('text frames close a WebSocket, and what they contain is not read [MQTT-6.0.0-1]', async (t) => {
  const s = await withPoll(t);
  const vote = bytesOf(packet('32', TOPIC, '00 01 61')).toString('latin1');
  for (const before of ['connected', 'new'] as const) {
    const socket = await webSocket(t, s);
    const received: Buffer[] = [];
    let code = 0;
    socket.on('message', (data: Buffer) => received.push(data)).on('close', (closed) => (code = closed));
    if (before === 'connected') {
      socket.send(bytesOf(connectPacket('a')));
      await eventually('CONNACK', async () => (received.length > 0 ? true : undefined));
    }
    const count = received.length;
    socket.send(before === 'new' ? bytesOf(connectPacket('a')).toString('latin1') : vote);
    await eventually('the end', async () => (socket.readyState === WebSocket.CLOSED ? true : undefined));
    t.equal(received.length, count, 'no answer');
    t.equal(code, 1003);
  }
  t.equal((await s.call('GET', '/api/polls/q/result', { operator: true })).body.votes, 0);
  // Packets may be spread over frames in any way [MQTT-6.0.0-2].
  const whole = Buffer.concat([bytesOf(connectPacket('a')), bytesOf(packet('32', TOPIC, '00 01 61'))]);
  const stream = createWebSocketStream(await webSocket(t, s));
  t.teardown(() => stream.destroy());
  let answer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => (answer = Buffer.concat([answer, chunk])));
  for (const byte of whole) stream.write(Buffer.from([byte]));
  await eventually('CONNACK and PUBACK', async () => (answer.length >= 8 ? true : undefined));
  t.equal(spaced(answer), '20 02 00 00 40 02 00 01');
});

async function webSocket(t: Test, s: Stage): Promise<WebSocket> {
  const socket = new WebSocket(`${s.http.replace('http', 'ws')}/mqtt`, 'mqtt');
  socket.on('error', () => {});
  t.teardown(() => socket.terminate());
  await eventually('the WebSocket', async () => (socket.readyState === WebSocket.OPEN ? true : undefined));
  return socket;
}
