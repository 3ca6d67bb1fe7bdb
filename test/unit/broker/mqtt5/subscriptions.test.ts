import t from 'tap';
import { parsed, translator } from './translator.ts';

const subscribe = (...filters: (string | [topic: string, options: object])[]) => ({
  cmd: 'subscribe',
  messageId: 9,
  subscriptions: filters.map((filter) => {
    const [topic, options] = typeof filter === 'string' ? [filter, {}] : filter;
    return { topic, qos: 1, ...options };
  }),
});
const message = (topic: string, more: object = {}) => ({
  cmd: 'publish',
  topic,
  payload: 'x',
  qos: 1,
  messageId: 1,
  dup: false,
  retain: false,
  ...more,
});

t.test('SUBACK has a reason code for each filter', async (t) => {
  const { from, to } = translator();
  const filters = ['poll/a', '#', 'poll/+', '$share/g/poll/a', 'receipt/e', 'poll/b', 'vote/x'];
  t.match(parsed(from(subscribe(...filters)) as Buffer, 4)[0], {
    cmd: 'subscribe',
    messageId: 9,
    subscriptions: filters.map((topic) => ({ topic, qos: 1 })),
  });
  const granted = [1, 128, 128, 128, 128, 128, 128];
  t.match(to({ cmd: 'suback', messageId: 9, granted })[0], {
    cmd: 'suback',
    messageId: 9,
    granted: [1, 0xa2, 0xa2, 0x9e, 0x87, 0x97, 0x87],
  });
  from(subscribe('poll/a'));
  t.match(to({ cmd: 'suback', messageId: 9, granted: [0] })[0], { granted: [0] });
});

t.test('UNSUBACK says which subscriptions there were', async (t) => {
  const { from, to, translator: made } = translator();
  made.subscriptions.restore([{ topic: 'room/h', asPublished: false }]);
  from(subscribe('poll/a', '#'));
  to({ cmd: 'suback', messageId: 9, granted: [1, 128] });
  const topics = ['poll/a', 'poll/b', 'poll/a', 'room/h', '#'];
  const unsubscribe = { cmd: 'unsubscribe', messageId: 10, unsubscriptions: topics };
  t.match(parsed(from(unsubscribe) as Buffer, 4)[0], { cmd: 'unsubscribe', unsubscriptions: topics });
  t.match(to({ cmd: 'unsuback', messageId: 10 })[0], { granted: [0, 0x11, 0x11, 0, 0x11] });
});

t.test('Retain Handling, also for subscriptions of a continued session', async (t) => {
  const { from, to, toAedes, translator: made } = translator();
  made.subscriptions.restore([{ topic: 'poll/old', asPublished: false }]);
  from(
    subscribe(['poll/always', { rh: 0 }], ['poll/never', { rh: 2 }], ['poll/new', { rh: 1 }], ['poll/old', { rh: 1 }]),
  );
  const retained = (topic: string, messageId: number) => to(message(topic, { retain: true, messageId })).length;
  t.equal(retained('poll/always', 1), 1);
  t.equal(retained('poll/never', 2), 0);
  t.equal(retained('poll/new', 3), 1);
  t.equal(retained('poll/old', 4), 0);
  t.equal(to(message('poll/never', { messageId: 5 })).length, 1, 'later messages are sent');
  t.same(toAedes, [], 'Aedes hears of messages that were not sent only after those before them');
  from({ cmd: 'puback', messageId: 1, reasonCode: 0 });
  from({ cmd: 'puback', messageId: 3, reasonCode: 0 });
  t.same(
    toAedes.map((packet) => packet.toString('hex')),
    ['40020001', '40020002', '40020003', '40020004'],
  );
  from(subscribe(['poll/never', { rh: 0 }]));
  t.equal(retained('poll/never', 6), 1);
});

t.test('Retain As Published', async (t) => {
  const { from, to, translator: made } = translator();
  made.subscriptions.restore([{ topic: 'poll/old', asPublished: true }]);
  from(subscribe(['poll/a', { rap: true }], 'poll/b', ['receipt/d', { rap: true }]));
  const flag = (topic: string) => (to(message(topic, { qos: 0 }))[0] as { retain: boolean }).retain;
  t.same(['poll/a', 'poll/b', 'poll/old', 'receipt/d'].map(flag), [true, false, true, false]);
  t.ok(made.subscriptions.isAsPublished('poll/a'));
});

t.test('Receive Maximum holds the newest message of each topic', async (t) => {
  const { from, to, sent, toAedes } = translator({ properties: { receiveMaximum: 1 } });
  const acknowledge = (messageId: number) => from({ cmd: 'puback', messageId, reasonCode: 0 });
  const ids = () => toAedes.splice(0).map((packet) => packet.readUInt16BE(2));
  t.equal(to(message('poll/a', { messageId: 1 })).length, 1);
  t.equal(to(message('poll/a', { messageId: 2 })).length, 0);
  t.equal(to(message('poll/b', { messageId: 3 })).length, 0);
  t.equal(to(message('poll/a', { messageId: 4 })).length, 0);
  t.equal(to(message('receipt/d', { qos: 0, messageId: undefined })).length, 1, 'QoS 0 is not counted');
  t.same(ids(), []);
  acknowledge(77);
  t.same(ids(), [], 'nothing was sent with this packet id');
  acknowledge(1);
  t.same(ids(), [1, 2], 'the second one was superseded');
  t.match(parsed(sent.splice(0)[0] as Buffer, 5)[0], { topic: 'poll/b', messageId: 3 });
  acknowledge(1);
  t.equal(sent.length, 0);
  acknowledge(3);
  t.match(parsed(sent.splice(0)[0] as Buffer, 5)[0], { topic: 'poll/a', messageId: 4 });
  acknowledge(4);
  t.same(ids(), [3, 4]);
  for (let i = 0; i < 200; i++) to(message(`poll/p${i}`, { messageId: 100 + i }));
  acknowledge(100);
  const dropped = ids().length - 1;
  t.equal(dropped, 200 - 1 - 64, 'at most 64 topics wait');
});

t.test('a client that never acknowledges a message is noticed', async (t) => {
  const { to, translator: made } = translator({ properties: { receiveMaximum: 1 } });
  for (let messageId = 1; messageId <= 1_000; messageId++) to(message('poll/a', { messageId }));
  t.equal(made.isStalled, false);
  to(message('poll/a', { messageId: 1_001 }));
  t.equal(made.isStalled, true);
});

t.test('messages that are larger than the client takes are left out', async (t) => {
  const { from, to, toAedes } = translator({ properties: { maximumPacketSize: 30 } });
  t.equal(to(message('poll/a', { payload: 'x'.repeat(40), messageId: 1 })).length, 0);
  t.equal(to(message('poll/a', { payload: 'x'.repeat(40), qos: 0, messageId: undefined })).length, 0);
  t.equal(to(message('poll/a', { messageId: 2 })).length, 1);
  t.same(
    toAedes.map((packet) => packet.toString('hex')),
    ['40020001'],
  );
  from(subscribe(...Array.from({ length: 40 }, () => 'poll/a')));
  t.equal(to({ cmd: 'suback', messageId: 9, granted: Array(40).fill(1) }).length, 0);
});

t.test('PUBREC is answered, because nothing is sent with QoS 2', async (t) => {
  const { from, sent, toAedes } = translator();
  t.equal(from({ cmd: 'pubrec', messageId: 6, reasonCode: 0 }), undefined);
  t.equal(from({ cmd: 'pubcomp', messageId: 6, reasonCode: 0 }), undefined);
  t.same([sent.map((packet) => packet.toString('hex')), toAedes], [['620400069200'], []]);
});
