import t from 'tap';
import { eventually } from '../../support/eventually.ts';
import { withPoll } from './devices.ts';

t.test('invalid input gets a clear receipt or refusal and is never counted', async (t) => {
  const s = await withPoll(t);
  await s.openPoll('many', { kind: 'multiple', min: 1, max: 2 });
  await s.openPoll('grade', { kind: 'rating', options: [], min: 1, max: 5 });
  await s.openPoll('over');
  await s.call('POST', '/api/polls/over/close', { operator: true });
  await s.call('POST', '/api/polls', { operator: true, body: { poll: 'draft', title: 'x', kind: 'rating' } });

  const cases: [name: string, topic: string, payload: string | Buffer, reason: string, about?: string][] = [
    ['unknown poll', 'vote/nowhere', 'a', 'unknown-poll', 'nowhere'],
    ['a poll named __proto__', 'vote/__proto__', 'a', 'unknown-poll', '__proto__'],
    ['a topic that names no poll', 'vote/a b', 'a', 'unknown-poll', '-'],
    ['too many levels', 'vote/q/x/y', 'a', 'unknown-poll', '-'],
    ['a room without a poll', 'vote/room/empty', 'a', 'no-open-poll', '-'],
    ['closed', 'vote/over', 'a', 'closed', 'over'],
    ['not open yet', 'vote/draft', '3', 'not-open', 'draft'],
    ['unknown option', 'vote/q', 'z', 'unknown-option', 'q'],
    ['an option named __proto__', 'vote/q', '__proto__', 'unknown-option', 'q'],
    ['__proto__ as JSON', 'vote/q', '{"__proto__":{"c":"a"}}', 'bad-choice', 'q'],
    ['too many options', 'vote/many', 'a,b,c', 'too-many-options', 'many'],
    ['the same option twice', 'vote/many', 'a,a', 'duplicate-option', 'many'],
    ['not a number', 'vote/grade', 'good', 'not-a-number', 'grade'],
    ['out of range', 'vote/grade', '6', 'out-of-range', 'grade'],
    ['oversized', 'vote/q', 'x'.repeat(1025), 'too-large', 'q'],
    ['malformed JSON', 'vote/q', '{"c":', 'malformed-json', 'q'],
    ['malformed CBOR', 'vote/q', Buffer.from([0xa1, 0x61, 0x63]), 'malformed-cbor', 'q'],
    [
      'CBOR that claims a huge length',
      'vote/q',
      Buffer.from([0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
      'malformed-cbor',
      'q',
    ],
    ['JSON without a choice', 'vote/q', '{"n":1}', 'bad-choice', 'q'],
    ['a choice that is an object', 'vote/q', '{"c":{"a":1}}', 'unknown-option', 'q'],
    ['a choice that is an object of objects', 'vote/q', '{"c":{"a":{}}}', 'bad-choice', 'q'],
    ['a mandate that is a number', 'vote/q', '{"c":"a","m":1}', 'unknown-mandate', 'q'],
    ['a mandate that the device does not carry', 'vote/q', '{"c":"a","m":"x"}', 'unknown-mandate', 'q'],
    ['an invalid sequence', 'vote/q', '{"c":"a","n":-1}', 'bad-sequence', 'q'],
    ['an invalid time', 'vote/q', '{"c":"a","t":"now"}', 'bad-time', 'q'],
    ['bytes that are not UTF-8', 'vote/q', Buffer.from([0x61, 0xff, 0xfe]), 'malformed-text', 'q'],
    ['empty', 'vote/q', '', 'empty', 'q'],
    ['blank', 'vote/q', ' \n', 'empty', 'q'],
  ];
  for (const [name, topic, payload, reason, about] of cases) {
    await t.test(name, async (t) => {
      const device = await s.device(`bad-${name.replaceAll(/\W/g, '')}`);
      t.equal(await device.subscribe(`receipt/${device.client.options.clientId}`), 0);
      await device.vote(topic, payload);
      t.equal(await device.next(`receipt/${device.client.options.clientId}`), `rejected ${about} ${reason}`);
      t.ok(device.client.connected, 'the vote is acknowledged and the device stays connected');
    });
  }

  await t.test('a retained vote is rejected', async (t) => {
    const device = await s.device('retainer');
    await device.subscribe('receipt/retainer');
    await device.vote('vote/q', 'a', { retain: true });
    t.equal(await device.next('receipt/retainer'), 'rejected q retained');
  });

  await t.test('publishing to any other topic closes the connection', async (t) => {
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

  await t.test('wildcards and the topics of other devices cannot be subscribed to', async (t) => {
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
      'votes are never forwarded',
    );
  });

  await t.test('a will is accepted only on the device’s own status topic', async (t) => {
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

  await t.test('invalid client ids are refused', async (t) => {
    for (const clientId of ['a/b', 'a b', '#', 'x'.repeat(65), 'ümlaut'])
      await t.rejects(s.device(clientId), { code: 2 }, clientId);
  });

  await t.test('no invalid vote was counted, but all of them are accounted for', async (t) => {
    const { accounting, ballots } = await s.resultAfter('q', 14);
    if (!accounting) throw new Error('the operator’s result has no accounting');
    t.equal(ballots, 0);
    const rejected = accounting.rejected as Record<string, number>;
    const sum = Object.values(rejected).reduce((a, b) => a + b, 0);
    t.equal(accounting.received, sum);
    const { body } = await s.call('POST', '/api/polls/q/recount', { operator: true });
    t.match(body, { agrees: true, isBalanced: true });
    await (await s.device('good')).vote('vote/q', 'a');
    t.equal((await s.resultAfter('q', accounting.received + 1)).ballots, 1, 'valid votes are still counted');
  });
});
