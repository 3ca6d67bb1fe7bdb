import { generate } from 'mqtt-packet';
import t from 'tap';
import { frameLength } from '../../../broker/connection/wire/frame.ts';
import { GATE_LIMITS as LIMITS } from '../../../broker/connection/wire/limits.ts';
import { Patience } from '../../../broker/connection/wire/patience.ts';
import { PublishReader } from '../../../broker/connection/wire/publish.ts';

const PINGREQ = generate({ cmd: 'pingreq' });

t.test('frame lengths are decoded as the MQTT specification defines them', async (t) => {
  t.equal(frameLength(Buffer.from([0x30, 0]), 0), 2);
  t.equal(frameLength(Buffer.from([0x30, 127]), 0), 129);
  t.equal(frameLength(Buffer.from([0x30, 0x80, 0x01]), 0), 131);
  t.equal(frameLength(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]), 0), 268_435_455 + 5);
  t.equal(frameLength(Buffer.from([0x30]), 0), 0, '0 means that the length has not arrived yet');
  t.equal(frameLength(Buffer.from([0x30, 0x80]), 0), 0);
  t.equal(frameLength(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 1]), 0), -1, '-1 means that the length is malformed');
});

t.test('every kind of PUBLISH is read as mqtt-packet writes it', async (t) => {
  const reader = new PublishReader();
  const topics = [
    'vote/q',
    'vote/q',
    'vote/q2',
    'vote/room/hall',
    'vote/q',
    'vote/abstimmung-über-kaffee',
    'd'.repeat(300),
  ];
  for (const [i, topic] of topics.entries()) {
    for (const qos of [0, 1, 2] as const) {
      for (const dup of qos === 0 ? [false] : [false, true]) {
        const payload = Buffer.from('y'.repeat(i * 30));
        const bytes = generate({
          cmd: 'publish',
          topic,
          payload,
          qos,
          dup,
          retain: i % 2 === 0,
          messageId: 65_535 - i,
        });
        const among = Buffer.concat([PINGREQ, bytes, PINGREQ]);
        t.same(reader.read(among, PINGREQ.length, PINGREQ.length + bytes.length), {
          topic,
          id: qos === 0 ? 0 : 65_535 - i,
          qos,
          isDup: dup,
          isRetained: i % 2 === 0,
          payload,
        });
      }
    }
  }
});

t.test('a whole CONNECT that waits for the broker is not late; an incomplete one is', async (t) => {
  const patience = new Patience(LIMITS);
  const laterMs = performance.now() + LIMITS.connectMs + 1;
  t.equal(patience.late(laterMs, true, true), undefined);
  t.equal(patience.late(laterMs, true, false), 'connect');
  patience.note(true, false, laterMs - 10);
  t.equal(patience.late(laterMs, true, true), 'connect');
  t.equal(patience.late(laterMs + LIMITS.packetMs, true, true), 'packet');
});
