/** Clauses of MQTT 5 that the other tests of this folder do not touch. */
import t from 'tap';
import { openLine, spaced } from '../../../support/network/line.ts';
import { connect5 } from '../../../support/network/line5.ts';
import { withPoll } from '../devices.ts';

t.test('a byte order mark is part of the text [MQTT-1.5.4-3]', async (t) => {
  const s = await withPoll(t);
  const refused = await openLine(t, s);
  refused.send('10 11 00 04 4d 51 54 54 05 02 00 3c 00 00 04 ef bb bf 61');
  await refused.closed();
  t.match(spaced(refused.received()), /^20 .. 00 85/, 'in a client id, where it is not allowed');
  const device = await connect5(t, s, 'd');
  t.same(await device.subscribe('\ufeffpoll/q'), [0x87], 'in a filter');
});

t.test('no topic aliases are sent, whatever the client allows [MQTT-3.1.2-26, 3.3.2-11]', async (t) => {
  const s = await withPoll(t);
  const device = await connect5(t, s, 'd', { properties: { topicAliasMaximum: 10 } });
  for (let i = 0; i < 3; i++) {
    await device.subscribe('poll/q');
    const { topic, properties } = await device.next('publish');
    t.equal(topic, 'poll/q');
    t.equal(properties?.topicAlias, undefined);
  }
});

t.test('after a refusal, nothing more is read [MQTT-3.1.4-6]', async (t) => {
  const s = await withPoll(t);
  const line = await openLine(t, s);
  line.send('10 10 00 04 4d 51 54 54 05 02 00 3c 00 00 03 61 2f 62 32 0c 00 06 76 6f 74 65 2f 71 00 01 00 61 c0 00');
  await line.closed();
  const answer = line.received();
  t.match(spaced(answer), /^20 .. 00 85/);
  t.equal(answer.length, 2 + (answer[1] ?? 0), 'CONNACK is the only answer');
  t.equal((await s.call('GET', '/api/polls/q/result', { operator: true })).body.votes, 0);
});

t.test('SUBACK and UNSUBACK have no properties [MQTT-3.9.2-1, 3.9.2-2, 3.11.2-1, 3.11.2-2]', async (t) => {
  const s = await withPoll(t);
  const device = await connect5(t, s, 'd');
  const filter = { topic: '#', qos: 1 };
  device.send({ cmd: 'subscribe', messageId: 1, subscriptions: [filter] });
  t.match(await device.next('suback'), { granted: [0xa2], length: 4 });
  device.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['#'] });
  t.match(await device.next('unsuback'), { granted: [0x11], length: 4 });
});
