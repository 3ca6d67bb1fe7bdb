import t from 'tap';
import { eventually } from '../../../support/eventually.ts';
import { connect5 } from '../../../support/network/line5.ts';
import { withPoll } from '../devices.ts';

const isMessage = ({ cmd }: { cmd: string }) => cmd === 'publish';
const statusIn = ({ payload }: { payload: Buffer }) => JSON.parse(payload.toString()).status as string;

t.test('with Receive Maximum 1, a slow device gets the newest state of each poll', async (t) => {
  const s = await withPoll(t);
  await s.openPoll('r');
  const slow = await connect5(t, s, 'slow', { properties: { receiveMaximum: 1 } });
  const witness = await connect5(t, s, 'witness');
  for (const device of [slow, witness]) await device.subscribe('poll/q', 'poll/r', { topic: 'receipt/slow', qos: 0 });
  const first = await slow.next('publish');
  for (let i = 0; i < 5; i++) {
    await s.call('POST', '/api/polls/q/close', { operator: true });
    await s.call('POST', '/api/polls/q/reopen', { operator: true });
  }
  await s.call('POST', '/api/polls/q/close', { operator: true });
  await eventually('the last announcement', async () =>
    witness.packets.some((packet) => packet.topic === 'poll/q' && statusIn(packet) === 'closed') ? true : undefined,
  );
  slow.send({ cmd: 'pingreq' });
  await slow.next('pingresp');
  t.same(slow.packets.filter(isMessage).length, 1, 'one at a time');
  slow.send({ cmd: 'puback', messageId: first.messageId, reasonCode: 0 });
  const got = new Map([[first.topic, first]]);
  await eventually('the closed poll', async () => {
    for (const packet of slow.packets.filter(isMessage)) {
      if (got.get(packet.topic) === packet) continue;
      got.set(packet.topic, packet);
      if (packet !== first) slow.send({ cmd: 'puback', messageId: packet.messageId, reasonCode: 0 });
    }
    const poll = got.get('poll/q');
    return poll && statusIn(poll) === 'closed' && got.has('poll/r') ? true : undefined;
  });
  t.ok(slow.packets.filter(isMessage).length < 8, 'states in between are left out');
});

t.test('a device that takes only small packets gets receipts, but not what is too large', async (t) => {
  const s = await withPoll(t);
  const small = await connect5(t, s, 'd', { properties: { maximumPacketSize: 64 } });
  t.equal(small.connack.reasonCode, 0);
  t.same(await small.subscribe('poll/q', { topic: 'receipt/d', qos: 0 }), [1, 0]);
  t.equal((await small.vote('b')).reasonCode ?? 0, 0);
  t.match((await small.next('publish')).payload.toString(), /accepted q/);
  await s.call('POST', '/api/polls/q/close', { operator: true });
  t.equal((await small.vote('b')).reasonCode, 0x83);
  t.same(
    small.packets.filter(isMessage).map(({ topic }) => topic),
    ['receipt/d', 'receipt/d'].slice(0, small.packets.filter(isMessage).length),
  );
});

t.test('SUBACK and UNSUBACK answer each filter, and no message comes twice', async (t) => {
  const s = await withPoll(t);
  const device = await connect5(t, s, 'd');
  t.same(
    await device.subscribe('poll/q', '#', 'poll/q', 'poll/+', '$share/g/poll/q', 'receipt/other', 'vote/q'),
    [1, 0xa2, 1, 0xa2, 0x9e, 0x87, 0x87],
  );
  const many = await device.subscribe(...Array.from({ length: 60 }, (_, i) => `poll/p${i}`));
  t.equal(many.filter((code) => code === 1).length, 31);
  t.equal(many.filter((code) => code === 0x97).length, 29);
  device.send({ cmd: 'unsubscribe', messageId: 500, unsubscriptions: ['poll/q', 'poll/p0', 'poll/none', 'poll/p59'] });
  t.same((await device.next('unsuback')).granted, [0, 0, 0x11, 0x11]);
  const options = await connect5(t, s, 'e');
  await options.subscribe({ topic: 'poll/q', rh: 2, rap: true });
  await options.vote('a');
  t.same(options.packets.filter(isMessage), [], 'no retained message was wanted');
  await s.call('POST', '/api/polls/q/close', { operator: true });
  t.equal((await options.next('publish')).retain, true, 'Retain As Published');
});
