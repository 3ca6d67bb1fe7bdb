import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { connect5 } from '../../../support/network/line5.ts';
import { redisServer } from '../../../support/servers.ts';
import { type Stage, stage } from '../../../support/stage.ts';

const expiry = (sessionExpiryInterval: number) => ({ properties: { sessionExpiryInterval } });
const RESUME = { clean: false };

/** The places where a client may return to: the same process, one that was started again, and another broker. */
type Return = (from: Stage) => Promise<Stage>;

async function places(t: Test): Promise<Record<string, readonly [first: Stage, again: Return]>> {
  const redis = await redisServer(t.testdir());
  t.teardown(() => redis.program.end());
  const shared = { redisUrl: redis.url };
  const restart: Return = async (from) => {
    await from.stop();
    return stage(t, {}, from.directory);
  };
  t.testdir({ same: {}, again: {}, other: {}, here: {}, redis: {} });
  const other = await stage(t, shared, `${t.testdirName}/here`);
  return {
    'the same process': [await stage(t, {}, `${t.testdirName}/same`), async (from) => from],
    'a process that was started again': [await stage(t, {}, `${t.testdirName}/again`), restart],
    'another broker': [await stage(t, shared, `${t.testdirName}/other`), async () => other],
  };
}

t.test('sessions are kept as long as their clients want', async (t) => {
  for (const [place, [first, again]] of Object.entries(await places(t))) {
    await t.test(place, async (t) => {
      await first.openPoll('q');
      const keep = async (id: string, options: object, leave: 'leave' | 'cut' | number) => {
        const device = await connect5(t, first, id, options);
        t.equal(device.connack.sessionPresent, false, `${id} is new`);
        t.same(await device.subscribe('poll/q'), [1]);
        if (leave === 'cut') device.cut();
        else await device.leave(leave === 'leave' ? {} : expiry(leave));
      };
      await keep('ends', {}, 'leave');
      await keep('ends-too', { clean: false }, 'cut');
      await keep('kept', expiry(60), 'leave');
      await keep('kept-when-cut', { ...expiry(60), clean: false }, 'cut');
      await keep('kept-for-ever', expiry(0xffff_ffff), 'leave');
      await keep('short', expiry(1), 'leave');
      await keep('short-when-cut', expiry(1), 'cut');
      await keep('ended-by-disconnect', expiry(60), 0);
      await keep('shortened', expiry(60), 1);
      await keep('prolonged', expiry(1), 60);
      await keep('started-anew', expiry(60), 'leave');
      const now = await again(first);
      // DISCONNECT’s terms hold at once, also for a client that returns before the second is over.
      const back = async (id: string, options: object = RESUME) => {
        const device = await connect5(t, now, id, { ...options });
        return device.connack.sessionPresent as boolean;
      };
      t.equal(await back('ended-by-disconnect'), false);
      await sleep(1_500);
      for (const id of ['ends', 'ends-too', 'short', 'short-when-cut', 'shortened']) t.equal(await back(id), false, id);
      for (const id of ['kept', 'kept-when-cut', 'kept-for-ever', 'prolonged']) t.equal(await back(id), true, id);
      t.equal(await back('started-anew', { clean: true }), false);
      t.equal(await back('started-anew'), false, 'Clean Start has ended it, and left none');
      t.equal(await back('kept'), false, 'it was continued without expiry, so it has ended');
    });
  }
});

t.test('a wrong secret neither ends a session nor takes a connection over', async (t) => {
  const s = await stage(t, { door: 'devices' });
  const { body } = await s.call('POST', '/api/devices', { operator: true, body: { device: 'seat-1' } });
  const login = { username: 'seat-1', password: body.secret };
  const device = await connect5(t, s, 'seat-1', { ...login, ...expiry(60) });
  await device.subscribe('poll/q');
  for (const wrong of [{ ...login, password: 'wrong and long enough' }, {}]) {
    const intruder = await connect5(t, s, 'seat-1', wrong);
    t.equal(intruder.connack.reasonCode, 0x86);
    t.match(intruder.connack.properties.reasonString, /secret|password/);
    await intruder.line.closed();
  }
  device.send({ cmd: 'pingreq' });
  await device.next('pingresp');
  device.cut();
  const back = await connect5(t, s, 'seat-1', { ...login, ...RESUME, ...expiry(60) });
  t.equal(back.connack.sessionPresent, true);
});

t.test('sessions of MQTT 3.1.1 and 5 continue each other', async (t) => {
  const s = await stage(t, { sessionSeconds: '60' });
  await s.openPoll('q');
  const old = await s.device('d', { clean: false });
  await old.subscribe('poll/q', 1);
  await old.client.endAsync();
  const five = await connect5(t, s, 'd', { ...RESUME, ...expiry(1) });
  t.equal(five.connack.sessionPresent, true);
  five.cut();
  const older = await s.device('d', { clean: false });
  older.client.stream.destroy();
  await sleep(1_500);
  const again = await connect5(t, s, 'd', { ...RESUME, ...expiry(100) });
  t.equal(again.connack.sessionPresent, true, 'a session of MQTT 3.1.1 is kept as long as any');
  t.equal(again.connack.properties.sessionExpiryInterval, 60, 'the setting is the most');
  again.cut();
  const clean = await s.device('d', { clean: true });
  await clean.client.endAsync();
  t.equal((await connect5(t, s, 'd', { ...RESUME, ...expiry(100) })).connack.sessionPresent, false);
});

t.test('what a session missed is sent when it continues, with its options', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const first = await connect5(t, s, 'd', expiry(60));
  await first.subscribe({ topic: 'poll/q', rap: true, rh: 2 }, { topic: 'poll/r', rap: false });
  first.cut();
  await s.call('POST', '/api/polls/q/close', { operator: true });
  await s.openPoll('r');
  const back = await connect5(t, s, 'd', { ...RESUME, ...expiry(60) });
  const missed = [await back.next('publish'), await back.next('publish')];
  t.same(
    missed.map(({ topic, retain }) => [topic, retain]).sort(),
    [
      ['poll/q', true],
      ['poll/r', false],
    ],
    'Retain As Published is kept',
  );
  for (const { messageId } of missed) back.send({ cmd: 'puback', messageId, reasonCode: 0 });
  await back.subscribe({ topic: 'poll/r', rh: 1 });
  await back.vote('a', { topic: 'vote/r' });
  t.equal(back.packets.filter(({ cmd }) => cmd === 'publish').length, 2, 'the subscription is not new');
  back.send({ cmd: 'unsubscribe', messageId: 50, unsubscriptions: ['poll/q', 'poll/none'] });
  t.same((await back.next('unsuback')).granted, [0, 0x11]);
});

t.test('a client without an id gets its user name, or is refused', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  for (let i = 0; i < 2; i++) {
    const device = await connect5(t, s, '', { username: 'anna' });
    t.equal(device.connack.properties.assignedClientIdentifier, 'anna');
    await device.vote('b');
    await device.leave();
  }
  t.match((await s.resultAfter('q', 2)).accounting, { counted: 1 });
  const nameless = await connect5(t, s, '');
  t.equal(nameless.connack.reasonCode, 0x85);
  t.match(nameless.connack.properties.reasonString, /client id/);
  const bad = await connect5(t, s, 'a/b');
  t.equal(bad.connack.reasonCode, 0x85);
  const will = { topic: 'vote/q', payload: Buffer.from('a'), qos: 1, retain: false };
  t.equal((await connect5(t, s, 'd', { will })).connack.reasonCode, 0x87);
  t.equal(
    (await connect5(t, s, 'd', { will: { ...will, properties: { willDelayInterval: 5 } }, ...expiry(60) })).connack
      .reasonCode,
    0x87,
  );
});
