import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { connectPacket, isAlive, openLine, type Via } from '../../support/network/line.ts';
import { redisServer } from '../../support/servers.ts';
import { type Stage, stage } from '../../support/stage.ts';

const ACCEPTED = { fresh: '20 02 00 00', continued: '20 02 01 00' };
const LIFETIME_MS = 1_500;

/** Connects, reads CONNACK, and drops the connection. */
async function connack(t: Test, s: Stage, more: object = {}, via: Via = 'tcp'): Promise<string> {
  const line = await openLine(t, s, via);
  line.send(connectPacket('clicker', { clean: false, ...more }));
  const answer = await line.next(4);
  line.stream.destroy();
  return answer;
}

for (const store of ['embedded', 'Redis'] as const) {
  t.test(`${store}: a session without subscriptions is present until it is cleared or expires`, async (t) => {
    const directory = t.testdir();
    const redis = store === 'Redis' ? await redisServer(directory) : undefined;
    t.teardown(() => redis?.program.end());
    const settings = { ...(redis ? { redisUrl: redis.url } : {}) };
    const s = await stage(t, settings, directory);
    for (const via of ['tcp', 'ws'] as const) {
      t.equal(await connack(t, s, { clean: true }, via), ACCEPTED.fresh, `clean session 1 over ${via}`);
      t.equal(await connack(t, s, {}, via), ACCEPTED.fresh, 'a new session');
      t.equal(await connack(t, s, {}, via), ACCEPTED.continued, 'the same session');
      t.equal(
        await connack(t, s, { protocolId: 'MQIsdp', protocolVersion: 3 }, via),
        ACCEPTED.fresh,
        'reserved in 3.1',
      );
      t.equal(await connack(t, s, {}, via), ACCEPTED.continued);
    }
    const line = await openLine(t, s);
    line.send(connectPacket('clicker', { clean: false }));
    t.equal(await line.next(4), ACCEPTED.continued);
    t.equal(await connack(t, s), ACCEPTED.continued, 'also if it takes over from a connection that is open');
    await s.stop();

    const again = await stage(t, { ...settings, sessionSeconds: '604800' }, directory);
    t.equal(await connack(t, again), ACCEPTED.continued, 'after a restart of the broker');
    t.equal(await connack(t, again, { clean: true }), ACCEPTED.fresh);
    t.equal(await connack(t, again), ACCEPTED.fresh, 'clean session 1 has ended the session');
    await again.stop();

    const short = await stage(t, { ...settings, sessionSeconds: String(LIFETIME_MS / 1_000 + 0.5) }, directory);
    t.equal(await connack(t, short), ACCEPTED.continued);
    await sleep(LIFETIME_MS * 2);
    t.equal(await connack(t, short), ACCEPTED.fresh, 'the session has expired');
    const kept = await openLine(t, short);
    kept.send(connectPacket('clicker', { clean: false }));
    t.equal(await kept.next(4), ACCEPTED.continued);
    await sleep(LIFETIME_MS * 2);
    t.ok(await isAlive(kept));
    t.equal(await connack(t, short), ACCEPTED.continued, 'a session in use does not expire');
  });
}

t.test('a refused client neither creates, continues nor clears a session', async (t) => {
  const s = await stage(t, { door: 'devices' });
  const { body } = await s.call('POST', '/api/devices', { operator: true, body: { device: 'clicker' } });
  const right = { username: 'clicker', password: Buffer.from(body.secret) };
  const wrong = { username: 'clicker', password: Buffer.from('wrong') };
  t.equal(await connack(t, s, wrong), '20 02 00 04');
  t.equal(await connack(t, s, right), ACCEPTED.fresh);
  t.equal(await connack(t, s, { ...wrong, clean: true }), '20 02 00 04');
  t.equal(await connack(t, s, wrong), '20 02 00 04', 'a refusal never says that a session is present');
  t.equal(await connack(t, s, right), ACCEPTED.continued);
});
