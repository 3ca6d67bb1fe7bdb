import { createHmac } from 'node:crypto';
import t from 'tap';
import { GuestBook } from '../../../core/devices/guests/guest-book.ts';
import { createLog } from '../../../core/runtime/log.ts';
import { proofOf } from '../../../dashboards/pages/vote/booth/joining/proof.ts';
import { type Device, type Stage, stage } from '../../support/stage.ts';

interface Joined {
  readonly device: string;
  readonly password: string;
  readonly expiresAt: string;
}

const DOOR = { door: 'devices' } as const;
const typeOf = (answer: { body: { type?: string } }) => answer.body.type?.replace('urn:pollcast:', '');

async function join(s: Stage, room: string, body?: object): Promise<Joined> {
  const answer = await s.call('POST', `/api/rooms/${room}/join`, { body });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body;
}

const enter = (s: Stage, { device, password }: Joined) => s.device(device, { username: device, password });

/** The receipt for a vote of a guest. */
async function receipt(s: Stage, guest: Joined, topic: string): Promise<string> {
  const phone = await enter(s, guest);
  await phone.subscribe(`receipt/${guest.device}`);
  await phone.vote(topic, 'a');
  return phone.next(`receipt/${guest.device}`);
}

t.test('only rooms that exist can be joined: those of polls, drafts included, and prepared ones', async (t) => {
  const s = await stage(t, DOOR);
  for (const room of ['hall', 'constructor', '__proto__', 'x'.repeat(64)]) {
    const answer = await s.call('POST', `/api/rooms/${room}/join`);
    t.match(answer, { status: 404, body: { type: 'urn:pollcast:no-such-room' } }, room);
    for (const [method, path] of [
      ['GET', 'guests'],
      ['DELETE', 'guests'],
    ] as const) {
      t.equal((await s.call(method, `/api/rooms/${room}/${path}`, { operator: true })).status, 404);
    }
  }
  t.equal((await s.call('POST', '/api/rooms/no%20room/join')).status, 400);
  const options = [
    { key: 'a', label: 'A' },
    { key: 'b', label: 'B' },
  ];
  const draft = { poll: 'draft', title: 'Later?', room: 'hall', options };
  t.equal((await s.call('POST', '/api/polls', { operator: true, body: draft })).status, 201);
  t.ok((await join(s, 'hall')).device);
  t.equal((await s.call('DELETE', '/api/polls/draft', { operator: true })).status, 204);
  t.equal((await s.call('POST', '/api/rooms/hall/join')).status, 404, 'the last poll of the room is gone');
  t.equal((await s.call('PATCH', '/api/rooms/bar/guests', { operator: true, body: { expected: 800 } })).status, 200);
  t.ok((await join(s, 'bar', {})).expiresAt > new Date().toISOString());
});

t.test('a guest votes in its own room, and in polls without a room', async (t) => {
  const s = await stage(t, DOOR);
  await s.openPoll('here', { room: 'hall' });
  await s.openPoll('there', { room: 'bar' });
  await s.openPoll('guests', { room: 'club', eligible: 'guests' });
  await s.openPoll('secret', { room: 'vault', secrecy: 'secret', visibility: 'closed' });
  await s.openPoll('nowhere');
  for (const [topic, expected] of [
    ['vote/here', 'accepted here'],
    ['vote/room/hall', 'accepted here'],
    ['vote/there', 'rejected there not-eligible'],
    ['vote/room/bar', 'rejected there not-eligible'],
    ['vote/guests', 'rejected guests not-eligible'],
    ['vote/secret', 'rejected secret not-eligible'],
    ['vote/nowhere', 'accepted nowhere'],
  ] as const) {
    t.equal(await receipt(s, await join(s, 'hall'), topic), expected, topic);
  }
});

t.test('credentials expire, also those of a connected guest, and those of version 0.1 are refused', async (t) => {
  const s = await stage(t, DOOR);
  await s.openPoll('q', { room: 'hall' });
  const { registry } = s.pollcast.store;
  const book = await GuestBook.open({ registry, guestHours: 1.5 / 3_600, log: createLog('silent') });
  const short = { ...(await book.issue('hall')), expiresAt: '' };
  await book.close();
  await (await enter(s, short)).closed();
  await t.rejects(enter(s, short), { code: 4 });
  const guest = await join(s, 'hall');
  const key = (await registry.get<string>('secrets', 'guests'))?.value as string;
  const old = createHmac('sha256', key).update(guest.device).digest('base64url').slice(0, 32);
  await t.rejects(enter(s, { ...guest, password: old }), { code: 4 });
  await enter(s, guest);
});

t.test(
  'a guest stays revoked while the credentials last, also once others are issued for a shorter time',
  async (t) => {
    const s = await stage(t, DOOR);
    await s.openPoll('q', { room: 'hall' });
    const { registry } = s.pollcast.store;
    const guest = await join(s, 'hall');
    // Revoked two hours ago, when credentials were issued for a week.
    await registry.put('revokedGuests', guest.device, { atMs: Date.now() - 2 * 3_600_000 });
    const book = await GuestBook.open({ registry, guestHours: 1, log: createLog('silent') });
    await book.revoke((await join(s, 'hall')).device);
    t.equal(await book.verify(guest.device, guest.password), undefined);
    await book.close();
  },
);

t.test('one guest, the guests of a room, and all of them can be revoked, and join again at once', async (t) => {
  const s = await stage(t, DOOR);
  await s.openPoll('q', { room: 'hall' });
  await s.openPoll('r', { room: 'bar' });
  const guests = [await join(s, 'hall'), await join(s, 'hall'), await join(s, 'bar')] as const;
  const left = new Set<Joined>(guests);
  /** Revokes by this path while those that are left are connected: `gone` lose their connection, and the others keep it. */
  const revoke = async (path: string, gone: readonly Joined[]) => {
    const phones = new Map<Joined, Device>();
    for (const guest of left) phones.set(guest, await enter(s, guest));
    const closed = gone.map((guest) => phones.get(guest)?.closed());
    t.ok([200, 204].includes((await s.call('DELETE', path, { operator: true })).status), path);
    await Promise.all(closed);
    for (const guest of gone) {
      left.delete(guest);
      await t.rejects(enter(s, guest), { code: 4 }, path);
    }
    for (const guest of left) t.equal(phones.get(guest)?.client.connected, true, path);
    for (const { client } of phones.values()) await client.endAsync();
  };
  t.equal((await s.call('DELETE', `/api/guests/${guests[0].device}`)).status, 401);
  t.equal((await s.call('DELETE', '/api/guests/seat-1', { operator: true })).status, 404, 'not the id of a guest');
  await revoke(`/api/guests/${guests[0].device}`, [guests[0]]);
  t.equal(await receipt(s, await join(s, 'hall'), 'vote/q'), 'accepted q', 'somebody who was revoked may join anew');
  const authorization = `Basic ${Buffer.from(`${guests[0].device}:${guests[0].password}`).toString('base64')}`;
  t.equal((await fetch(`${s.http}/api/guests/me`, { headers: { authorization } })).status, 401);
  await revoke('/api/rooms/hall/guests', [guests[1]]);
  t.equal(await receipt(s, await join(s, 'hall'), 'vote/q'), 'accepted q');
  await revoke('/api/guests', [guests[2]]);
  t.equal(await receipt(s, await join(s, 'bar'), 'vote/r'), 'accepted r');
});

t.test('a hall that was revoked hears so at once, and is not taken for somebody who guesses', async (t) => {
  const s = await stage(t, DOOR);
  await s.openPoll('q', { room: 'hall' });
  const { device, password } = await join(s, 'hall');
  await s.call('DELETE', '/api/rooms/hall/guests', { operator: true });
  const refused = async () => {
    const text = await (await fetch(`${s.http}/metrics`)).text();
    return Number(/^pollcast_mqtt_refused_total\{why="guessing"\} (\d+)$/m.exec(text)?.[1]);
  };
  await Promise.all(
    Array.from({ length: 200 }, () => t.rejects(enter(s, { device, password } as Joined), { code: 4 })),
  );
  t.equal(await refused(), 0);
  const { registry } = s.pollcast.store;
  const book = await GuestBook.open({ registry, guestHours: 1, log: createLog('silent') });
  t.ok(await book.wasIssued(device, password));
  for (const [id, secret] of [
    [device, `${password.slice(0, -1)}${password.endsWith('A') ? 'B' : 'A'}`],
    [`${device}0`, password],
    ['seat-1', password],
    [device, ''],
  ] as const) {
    t.notOk(await book.wasIssued(id, secret), `${id} ${secret}`);
  }
  await book.close();
});

t.test('revocations survive a restart', async (t) => {
  const s = await stage(t, DOOR);
  await s.openPoll('q', { room: 'hall' });
  const [one, two] = [await join(s, 'hall'), await join(s, 'hall')];
  await s.call('DELETE', `/api/guests/${one.device}`, { operator: true });
  await s.stop();
  const again = await stage(t, DOOR, s.directory);
  await t.rejects(enter(again, one), { code: 4 });
  await enter(again, two);
});

t.test('joining in a loop does not lock out others at the same address', async (t) => {
  const s = await stage(t, { ...DOOR, guestsPerAddress: '5' });
  await s.openPoll('q', { room: 'hall' });
  await s.openPoll('r', { room: 'bar' });
  const attempts = await Promise.all(Array.from({ length: 40 }, () => s.call('POST', '/api/rooms/hall/join')));
  t.equal(attempts.filter(({ status }) => status === 201).length, 5);
  const asked = attempts.find(({ status }) => status === 429);
  t.match(asked?.body, { type: 'urn:pollcast:proof-needed', challenge: /^[0-9a-z]+\.16\./ });
  t.ok((await join(s, 'bar')).device, 'other rooms have a budget of their own');
  for (let phone = 0; phone < 5; phone++) {
    const { challenge } = (await s.call('POST', '/api/rooms/hall/join')).body;
    const proof = await proofOf(challenge);
    t.equal((await s.call('POST', '/api/rooms/hall/join', { body: { proof } })).status, 201, 'a phone with a proof');
    t.equal(
      (await s.call('POST', '/api/rooms/hall/join', { body: { proof } })).status,
      429,
      'a proof is for one guest',
    );
  }
  for (const body of [{ proof: {} }, { proof: { challenge: 'x' } }, { more: 1 }, { code: '5'.repeat(200) }]) {
    t.equal((await s.call('POST', '/api/rooms/hall/join', { body })).status, 400);
  }
  const garbage = { proof: { challenge: 'x.y.z', nonce: '1' } };
  t.equal((await s.call('POST', '/api/rooms/hall/join', { body: garbage })).status, 429);
  const changed = await s.call('PATCH', '/api/rooms/hall/guests', { operator: true, body: { expected: 800 } });
  t.match(changed.body, { expected: 800 });
  t.equal((await s.call('POST', '/api/rooms/hall/join')).status, 201, 'the operator expects more guests now');
  const { body: metrics } = await s.call('GET', '/metrics');
  t.match(metrics, /^pollcast_guest_joins_total\{outcome="proof"\} 5$/m);
});

t.test('a room may ask for its code, which only its screens and operators may read', async (t) => {
  const s = await stage(t, DOOR);
  await s.openPoll('q', { room: 'hall' });
  const set = (body: object) => s.call('PATCH', '/api/rooms/hall/guests', { operator: true, body });
  const made = await set({ joinBy: 'code' });
  t.match(made.body, { joinBy: 'code', code: /^[0-9A-Z]{6}$/ });
  const { code } = made.body;
  const attempt = (body?: object) => s.call('POST', '/api/rooms/hall/join', { body });
  t.same([(await attempt()).status, typeOf(await attempt())], [403, 'join-code-needed']);
  t.equal(typeOf(await attempt({ code: 'wrong' })), 'wrong-join-code');
  t.equal((await attempt({ code: ` ${code.toLowerCase()}` })).status, 201);
  t.equal((await s.call('GET', '/api/rooms/hall')).body.joinCode, undefined);
  t.equal((await s.call('GET', '/api/rooms/hall', { operator: true })).body.joinCode, code);
  const { screenKey } = (await s.call('GET', '/api/polls/q', { operator: true })).body;
  const shown = await fetch(`${s.http}/api/rooms/hall`, { headers: { 'x-pollcast-screen': screenKey } });
  t.equal(((await shown.json()) as { joinCode?: string }).joinCode, code);
  const wrong = await fetch(`${s.http}/api/rooms/hall`, { headers: { 'x-pollcast-screen': `${screenKey}x` } });
  t.equal(((await wrong.json()) as { joinCode?: string }).joinCode, undefined);
  t.equal((await set({ code: 'Spring 26' })).body.code, 'Spring 26');
  t.equal((await attempt({ code })).status, 403);
  t.equal((await attempt({ code: 'spring-26' })).status, 201);
  for (const bad of ['äöü!', '- - -', 'abc', '']) t.equal((await set({ code: bad })).status, 400, bad);
  await s.call('DELETE', '/api/rooms/hall/guests', { operator: true });
  t.equal((await attempt({ code: 'spring-26' })).status, 403, 'with its guests, a room loses its code');
  t.equal((await s.call('PATCH', '/api/rooms/hall/guests', { body: { joinBy: 'anyone' } })).status, 401);
});

t.test('to learn that a room wants a code costs nothing, but a wrong code costs as much as joining', async (t) => {
  const s = await stage(t, { ...DOOR, guestsPerAddress: '2' });
  await s.openPoll('q', { room: 'hall' });
  const room = { operator: true, body: { joinBy: 'code', code: 'SPRING' } };
  t.equal((await s.call('PATCH', '/api/rooms/hall/guests', room)).status, 200);
  const attempt = (body?: object) => s.call('POST', '/api/rooms/hall/join', { body });
  for (const body of [undefined, {}, { code: '' }]) t.equal(typeOf(await attempt(body)), 'join-code-needed');
  t.equal((await attempt({ code: 'SPRING' })).status, 201);
  t.equal(typeOf(await attempt({ code: 'AUTUMN' })), 'wrong-join-code');
  t.equal(typeOf(await attempt({ code: 'SPRING' })), 'proof-needed');
  t.equal(typeOf(await attempt()), 'join-code-needed');
});

t.test('a code of one’s own is one guest, on whatever phone, until it is revoked', async (t) => {
  const s = await stage(t, DOOR);
  await s.openPoll('q', { room: 'hall' });
  const codesOf = async (count: number, first?: number) => {
    const { body } = await s.call('POST', '/api/rooms/hall/codes', { operator: true, body: { count, first } });
    return body.codes as { number: number; code: string; url: string | null }[];
  };
  await s.call('PATCH', '/api/rooms/hall/guests', { operator: true, body: { joinBy: 'codes' } });
  const codes = await codesOf(3);
  t.same(
    codes.map(({ number }) => number),
    [1, 2, 3],
  );
  t.same((await codesOf(1, 3))[0], codes[2], 'a code can be printed again');
  const code = (i: number) => ({ code: codes[i]?.code });
  const [once, twice, other] = [
    await join(s, 'hall', code(0)),
    await join(s, 'hall', code(0)),
    await join(s, 'hall', code(1)),
  ];
  t.equal(once.device, twice.device);
  t.not(once.device, other.device);
  t.equal(await receipt(s, once, 'vote/q'), 'accepted q');
  t.match(await receipt(s, twice, 'vote/q'), /^(accepted|recorded) q$/);
  t.equal((await s.resultAfter('q', 2)).ballots, 1);
  t.equal((await s.call('POST', '/api/rooms/hall/join')).status, 403);
  await s.call('DELETE', `/api/guests/${once.device}`, { operator: true });
  t.equal(typeOf(await s.call('POST', '/api/rooms/hall/join', { body: code(0) })), 'join-code-revoked');
  t.equal((await join(s, 'hall', code(1))).device, other.device);
  await s.call('DELETE', '/api/rooms/hall/guests', { operator: true });
  t.equal(typeOf(await s.call('POST', '/api/rooms/hall/join', { body: code(1) })), 'wrong-join-code');
  t.not((await codesOf(1))[0]?.code, codes[0]?.code);
  for (const body of [{ count: 0 }, { count: 5_001 }, { count: 2, first: 32_767 }]) {
    t.equal((await s.call('POST', '/api/rooms/hall/codes', { operator: true, body })).status, 400);
  }
});
