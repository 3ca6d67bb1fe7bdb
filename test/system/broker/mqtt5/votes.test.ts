import t from 'tap';
import { eventually } from '../../../support/eventually.ts';
import { connect5 } from '../../../support/network/line5.ts';
import { stage } from '../../../support/stage.ts';
import { withPoll } from '../devices.ts';

for (const via of ['tcp', 'ws'] as const) {
  t.test(`${via}: the acknowledgement says why a vote was refused`, async (t) => {
    const s = await withPoll(t);
    await s.openPoll('shut');
    await s.call('POST', '/api/polls/shut/close', { operator: true });
    const options = ['a', 'b'].map((key) => ({ key, label: key }));
    const create = { poll: 'later', title: 'Later', options };
    await s.call('POST', '/api/polls', { operator: true, body: create });
    const device = await connect5(t, s, 'd', {}, via);
    for (const [topic, payload, more, code, reason] of [
      ['vote/q', 'b', {}, 0, undefined],
      ['vote/none', 'b', {}, 0x90, 'unknown-poll'],
      ['vote/shut', 'b', {}, 0x83, 'closed'],
      ['vote/later', 'a', {}, 0x83, 'not-open'],
      ['vote/room/empty', 'a', {}, 0x83, 'no-open-poll'],
      ['vote/q', 'b', { retain: true }, 0x83, 'retained'],
      ['vote/q', '', {}, 0x99, 'empty'],
      ['vote/q', 'x', {}, 0x99, 'unknown-option'],
      ['vote/q', '{', {}, 0x99, 'malformed-json'],
      ['vote/q', 'a'.repeat(2000), {}, 0x99, 'too-large'],
      ['vote/q', '{"c":"b","m":"nobody"}', {}, 0x87, 'unknown-mandate'],
      ['vote/a/b/c', 'b', {}, 0x90, 'unknown-poll'],
      ['$SYS/x', 'b', {}, 0x87, 'topic'],
      ['poll/q', 'b', {}, 0x87, 'topic'],
      ['device/other/status', '{}', {}, 0x87, 'topic'],
      ['device/d/status', '{}', {}, 0, undefined],
    ] as const) {
      for (const qos of [1, 2]) {
        const answer = await (async () => {
          if (qos === 1) return device.vote(payload, { topic, ...more });
          device.send({ cmd: 'publish', topic, payload, qos, messageId: 77, dup: false, retain: false, ...more });
          return device.next('pubrec');
        })();
        t.equal(answer.reasonCode ?? 0, code, `${topic} ${payload.slice(0, 9)} at QoS ${qos}`);
        t.equal(answer.properties?.reasonString, reason);
        if (qos === 1 || code >= 0x80) continue;
        device.send({ cmd: 'pubrel', messageId: 77 });
        t.equal((await device.next('pubcomp')).reasonCode ?? 0, 0);
      }
    }
    t.equal((await device.vote('c')).reasonCode ?? 0, 0, 'the connection is still there');
    device.send({ cmd: 'publish', topic: '$SYS/x', payload: 'b', qos: 0, dup: false, retain: false });
    t.equal((await device.vote('c')).reasonCode ?? 0, 0, 'also after a forbidden topic at QoS 0');
  });
}

t.test('2,000 refused votes at QoS 2 on one connection use up nothing', async (t) => {
  const s = await withPoll(t);
  for (const releases of [false, true]) {
    const device = await connect5(t, s, `d-${releases}`);
    for (let messageId = 1; messageId <= 2000; messageId++) {
      device.send({ cmd: 'publish', topic: 'vote/q', payload: 'x', qos: 2, messageId, dup: false, retain: false });
      // Some clients do not heed the reason code and go on.
      if (releases) device.send({ cmd: 'pubrel', messageId });
    }
    const count = (cmd: string) => device.packets.filter((packet) => packet.cmd === cmd).length;
    await eventually('all answers', async () =>
      count('pubrec') === 2000 && (!releases || count('pubcomp') === 2000) ? true : undefined,
    );
    device.send({ cmd: 'publish', topic: 'vote/q', payload: 'b', qos: 2, messageId: 1, dup: false, retain: false });
    await eventually('one more', async () => (count('pubrec') === 2001 ? true : undefined));
    t.equal(device.packets.findLast(({ cmd }) => cmd === 'pubrec').reasonCode ?? 0, 0);
  }
  const result = await s.resultAfter('q', 4002);
  t.match(result.accounting, { counted: 2 });
});

t.test('topic aliases, and what follows from using them wrongly', async (t) => {
  const s = await withPoll(t);
  await s.openPoll('r');
  const device = await connect5(t, s, 'd');
  const alias = (topicAlias: number, topic = '') => ({ topic, properties: { topicAlias } });
  await device.vote('a', alias(16, 'vote/q'));
  await device.vote('a', alias(1, 'vote/r'));
  await device.vote('b', alias(16));
  await device.vote('c', alias(1));
  await device.vote('c', alias(16, 'vote/r'));
  await device.vote('b', alias(16));
  t.equal((await s.resultAfter('q', 2)).votes, 2);
  t.equal((await s.resultAfter('r', 4)).votes, 4);
  for (const [bytes, code] of [
    ['32 08 00 00 00 07 03 23 00 00', 0x94],
    ['32 09 00 00 00 07 03 23 00 11 61', 0x94],
    ['32 09 00 00 00 07 03 23 00 10 61', 0x82],
    ['32 05 00 00 00 07 00', 0x82],
    ['32 0b 00 00 00 07 06 23 00 10 23 00 10', 0x82],
    ['40 00', 0x81],
    ['36 08 00 03 61 2f 62 00 01 00', 0x81],
    ['f0 00', 0x82],
    ['30 ff ff 7f', 0x95],
    ['30 80 80 80 80 01', 0x81],
    ['82 09 00 01 02 0b 05 00 01 61 00', 0xa1],
  ] as const) {
    for (const via of ['tcp', 'ws'] as const) {
      const wrong = await connect5(t, s, 'wrong', {}, via);
      wrong.line.send(bytes);
      const farewell = await wrong.farewell();
      t.equal(farewell?.reasonCode, code, `${bytes} over ${via}`);
      t.type(farewell?.properties?.reasonString, 'string');
    }
  }
});

t.test('devices of all versions vote in one poll, each counted once', async (t) => {
  const s = await withPoll(t);
  const old = await s.device('old');
  const five = await s.device('five', { protocolVersion: 5 });
  const raw = await connect5(t, s, 'raw', {}, 'ws');
  const oldest = await s.device('oldest', { protocolVersion: 3, protocolId: 'MQIsdp' });
  for (const choice of ['a', 'b', 'c']) {
    await old.vote('vote/q', choice);
    await five.vote('vote/q', choice, { qos: 2 });
    await raw.vote(choice);
    await oldest.vote('vote/q', choice);
  }
  // One device may change its version.
  await (await s.device('old', { protocolVersion: 5 })).vote('vote/q', 'a');
  const result = await s.resultAfter('q', 13);
  t.match(result.accounting, { received: 13, counted: 4, replaced: 9 });
});

t.test('with the setting for old clients, acknowledgements give no reasons', async (t) => {
  const s = await stage(t, { mqttReasons: 'off' });
  await s.openPoll('q');
  const device = await connect5(t, s, 'd');
  await device.subscribe({ topic: 'receipt/d', qos: 0 });
  t.equal((await device.vote('x')).reasonCode ?? 0, 0);
  const receipt = await device.next('publish');
  t.equal(receipt.payload.toString(), 'rejected q unknown-option');
  t.equal((await device.vote('x', { topic: '$SYS/x' })).reasonCode ?? 0, 0);
  device.send({ cmd: 'publish', topic: 'vote/q', payload: 'x', qos: 2, messageId: 9, dup: false, retain: false });
  t.equal((await device.next('pubrec')).reasonCode ?? 0, 0);
  device.send({ cmd: 'pubrel', messageId: 9 });
  await device.next('pubcomp');
  const shy = await stage(t, {}, `${t.testdirName}/shy`);
  await shy.openPoll('q');
  const quiet = await connect5(t, shy, 'd', { properties: { requestProblemInformation: false } });
  const answer = await quiet.vote('x');
  t.equal(answer.reasonCode, 0x99);
  t.equal(answer.properties?.reasonString, undefined);
});
