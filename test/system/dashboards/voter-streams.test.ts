/** A stream that shows what only voters see ends when the credentials with which it was opened do; what anybody sees goes on. */
import t, { type Test } from 'tap';
import { GuestBook } from '../../../core/devices/guests/guest-book.ts';
import { createLog } from '../../../core/runtime/log.ts';
import { eventually } from '../../support/eventually.ts';
import { type Stage, stage } from '../../support/stage.ts';
import { watch } from './viewer.ts';

interface Credentials {
  readonly device: string;
  readonly password: string;
}

async function join(s: Stage): Promise<Credentials> {
  return (await s.call('POST', '/api/rooms/hall/join', { body: {} })).body;
}

async function register(s: Stage, device: string): Promise<Credentials> {
  const { body } = await s.call('POST', '/api/devices', { operator: true, body: { device } });
  return { device, password: body.secret };
}

const basic = ({ device, password }: Credentials) => ({
  authorization: `Basic ${Buffer.from(`${device}:${password}`).toString('base64')}`,
});

/** Votes, and opens a stream as this voter that shows figures. */
async function voter(t: Test, s: Stage, who: Credentials, path = '/api/polls/q/stream') {
  const { vote, client } = await s.device(who.device, { username: who.device, password: who.password });
  await vote('vote/q', 'a');
  await client.endAsync();
  return eventually('figures', async () => {
    const stream = await watch(t, s.http + path, basic(who));
    const first = await eventually('the first result', async () =>
      stream.events.find(({ event }) => event === 'result'),
    );
    if (!first.data.hidden) return stream;
    stream.response.destroy();
    return undefined;
  });
}

const ends = ({ isEnded }: { isEnded: () => boolean }) =>
  eventually('the end of the stream', async () => isEnded() || undefined);

t.test('the streams of a guest end when it is revoked, alone or with its room, or expires', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await s.openPoll('q', { room: 'hall', visibility: 'voted' });
  await s.openPoll('other', { visibility: 'live' });
  const [one, two] = [await join(s), await join(s)];
  const streams = [await voter(t, s, one), await voter(t, s, one, '/api/stream?polls=other,q'), await voter(t, s, two)];
  const anybody = await watch(t, `${s.http}/api/polls/q/stream`);
  await s.call('DELETE', `/api/guests/${one.device}`, { operator: true });
  await Promise.all(streams.slice(0, 2).map(ends));
  t.notOk(streams[2]?.isEnded(), 'others go on');
  await s.call('DELETE', '/api/rooms/hall/guests', { operator: true });
  await Promise.all(streams.map(ends));
  await s.call('POST', '/api/polls/q/close', { operator: true });
  await eventually('the final result in a stream of anybody', async () =>
    anybody.events.find(({ event }) => event === 'final'),
  );
  t.notOk(anybody.isEnded());
});

t.test('credentials of guests that expire end their streams', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await s.openPoll('q', { room: 'hall', visibility: 'voted' });
  const { registry } = s.pollcast.store;
  const book = await GuestBook.open({ registry, guestHours: 6 / 3_600, log: createLog('silent') });
  const short = await book.issue('hall');
  await book.close();
  const [stream, other] = [await voter(t, s, short), await voter(t, s, await join(s))];
  await ends(stream);
  t.notOk(other.isEnded());
});

t.test('the streams of a device end when it is revoked, also if it is registered again at once', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await s.openPoll('q', { visibility: 'voted' });
  const other = await voter(t, s, await register(s, 'other'));
  for (let i = 0; i < 3; i++) {
    const stream = await voter(t, s, await register(s, 'seat-1'));
    await s.call('POST', '/api/devices/revoke', { operator: true, body: { devices: ['seat-1'] } });
    const next = await register(s, 'seat-1');
    const again = await voter(t, s, next);
    await ends(stream);
    t.notOk(again.isEnded(), 'the device that is registered now goes on');
    await s.call('DELETE', '/api/devices/seat-1', { operator: true });
    await ends(again);
  }
  await s.call('PATCH', '/api/devices/other', { operator: true, body: { label: 'Changed', lentTo: 'Ann' } });
  await s.call('POST', '/api/polls/q/close', { operator: true });
  await eventually('the final result', async () => other.events.find(({ event }) => event === 'final'));
  t.notOk(other.isEnded(), 'a change of the device is no revocation');
});

t.test('the streams of a device end with the secret that opened them', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await s.openPoll('q', { visibility: 'voted' });
  const renew = async (body: object): Promise<Credentials> => {
    const answer = await s.call('POST', '/api/devices/seat-1/secret', { operator: true, body });
    return { device: 'seat-1', password: answer.body.secret };
  };
  const first = await voter(t, s, await register(s, 'seat-1'));
  const second = await renew({ graceSeconds: 3_600 });
  t.notOk(first.isEnded(), 'the old secret works until the new one is used');
  const stream = await voter(t, s, second);
  await ends(first);
  const third = await voter(t, s, await renew({ graceSeconds: 0 }));
  await ends(stream);
  // The new secret is never used, and the time of the old one runs out.
  await renew({ graceSeconds: 1 });
  await ends(third);
});

t.test('a stream that shows what anybody sees does not depend on who opened it', async (t) => {
  const s = await stage(t, { door: 'devices' });
  await s.openPoll('q', { room: 'hall', visibility: 'live' });
  const guest = await join(s);
  const stream = await watch(t, `${s.http}/api/polls/q/stream`, basic(guest));
  await s.call('DELETE', `/api/guests/${guest.device}`, { operator: true });
  await s.call('POST', '/api/polls/q/close', { operator: true });
  await eventually('the final result', async () => stream.events.find(({ event }) => event === 'final'));
  t.notOk(stream.isEnded());
});
