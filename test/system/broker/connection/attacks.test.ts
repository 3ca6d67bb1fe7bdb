/** A device on another address votes and is acknowledged, whatever one address does to the broker. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate } from 'mqtt-packet';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import type { SettingName } from '../../../../core/config/settings.ts';
import { eventually } from '../../../support/eventually.ts';
import { bytesOf, connectPacket, type Line, openLine, spaced, type Via } from '../../../support/network/line.ts';
import { connect5, type Line5 } from '../../../support/network/line5.ts';
import { type Stage, stage } from '../../../support/stage.ts';

/** Where the attack comes from, and where the good device is. */
const BAD = '127.0.0.1';
const GOOD = '127.0.0.2';
const ACCEPTED = '20 02 00 00';
const UNAVAILABLE = '20 02 00 03';
const WRONG_SECRET = '20 02 00 04';
/** How many votes of the good device are acknowledged during an attack. */
const VOTES = 20;

t.setTimeout(180_000);

async function withPoll(t: Test, settings: Partial<Record<SettingName, string>> = {}): Promise<Stage> {
  const s = await stage(t, settings);
  await s.openPoll('q', { room: 'hall' });
  return s;
}

const vote = (messageId: number, payload = 'a', more: object = {}) =>
  generate({ cmd: 'publish', topic: 'vote/q', payload, qos: 1, messageId, dup: false, retain: false, ...more });

/** Connects a device, and casts votes one by one, each of which is acknowledged. */
async function votes(t: Test, s: Stage, id: string, from = GOOD, via: Via = 'tcp', more: object = {}): Promise<Line> {
  const line = await openLine(t, s, via, from);
  line.send(connectPacket(id, more));
  t.equal(await line.next(4), ACCEPTED, `${id} gets in`);
  for (let i = 1; i <= VOTES; i++) {
    line.send(vote(i));
    const [, , high, low] = Buffer.from((await line.next(4)).replaceAll(' ', ''), 'hex');
    if (high !== 0 || low !== i) t.fail(`vote ${i} of ${id} is not acknowledged`);
  }
  return line;
}

async function metric(s: Stage, name: string): Promise<number> {
  const text = await (await fetch(`${s.http}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
}

const refused = (s: Stage, why: string) => metric(s, `pollcast_mqtt_refused_total{why="${why}"}`);

const atLeast = (what: string, least: number, read: () => Promise<number>) =>
  eventually(what, async () => ((await read()) >= least ? true : undefined));

for (const via of ['tcp', 'ws'] as const) {
  t.test(`${via}: silent sockets take no place from devices`, async (t) => {
    const s = await withPoll(t, { maxConnections: '100' });
    const silent = await Promise.all(Array.from({ length: 250 }, () => openLine(t, s, via, BAD)));
    await atLeast('the oldest to go', 170, () => refused(s, 'stranger'));
    await votes(t, s, 'good', GOOD, via);
    await votes(t, s, 'neighbour', BAD, via);
    const left = silent.filter((line) => !line.isClosed());
    t.ok(left.length <= 80, `${left.length} are left`);
    t.ok(
      silent.slice(0, 100).every((line) => line.isClosed()),
      'the oldest went first',
    );
    t.equal(await metric(s, 'pollcast_votes_failed_total'), 0);
  });
}

t.test('CONNECT byte by byte, and never to its end', async (t) => {
  const s = await withPoll(t, { maxConnections: '100' });
  const bytes = bytesOf(connectPacket('x'.repeat(60)));
  const slow = await Promise.all(Array.from({ length: 200 }, () => openLine(t, s, 'tcp', BAD)));
  let isOver = false;
  const dripping = (async () => {
    for (let at = 0; at < bytes.length - 1 && !isOver; at++) {
      for (const line of slow) if (!line.isClosed()) line.send(bytes.subarray(at, at + 1));
      await sleep(20);
    }
  })();
  await votes(t, s, 'good');
  await votes(t, s, 'neighbour', BAD);
  isOver = true;
  await dripping;
  t.ok((await refused(s, 'stranger')) >= 100);
  await eventually('all to be cut', async () => (slow.every((line) => line.isClosed()) ? true : undefined));
});

t.test('packets that announce a huge length, before CONNECT and after it', async (t) => {
  const s = await withPoll(t, { maxConnections: '100' });
  const huge = ['10 ff ff ff 7f', '10 ff ff ff ff', '82 ff ff ff 7f', '30 ff ff ff 7f'];
  const early = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const line = await openLine(t, s, 'tcp', BAD);
      line.send(huge[i % huge.length] as string);
      return line;
    }),
  );
  const late = await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      const line = await openLine(t, s, 'tcp', BAD);
      line.send(Buffer.concat([bytesOf(connectPacket(`late${i}`)), bytesOf(huge[i % huge.length] as string)]));
      return line;
    }),
  );
  await votes(t, s, 'good');
  for (const line of [...early, ...late]) await line.closed();
  t.ok((await refused(s, 'packet')) >= 100);
});

t.test('half packets of devices that were let in', async (t) => {
  const s = await withPoll(t, { maxConnections: '100' });
  const half = vote(1, 'a'.repeat(900)).subarray(0, 500);
  const lines = await Promise.all(
    Array.from({ length: 70 }, async (_, i) => {
      const line = await openLine(t, s, 'tcp', BAD);
      line.send(Buffer.concat([bytesOf(connectPacket(`half${i}`, { keepalive: 0 })), half]));
      await line.next(4);
      return line;
    }),
  );
  await votes(t, s, 'good');
  for (const line of lines) await line.closed();
  t.equal(await metric(s, 'pollcast_mqtt_disconnected_total{why="packet"}'), 70, 'each is cut after its time limit');
});

t.test('CONNECT packets of one address wait, and are refused if there are too many', async (t) => {
  const s = await withPoll(t, { connectsPerSecond: '5' });
  const storm = Array.from({ length: 120 }, async (_, i) => {
    const line = await openLine(t, s, 'tcp', BAD);
    line.send(connectPacket(`storm${i}`));
    return line.next(4);
  });
  await atLeast('refusals', 20, () => refused(s, 'rate'));
  const newer = Array.from({ length: 80 }, (_, i) => connect5(t, s, `newer${i}`, {}, 'tcp', BAD));
  await votes(t, s, 'good');
  const late = (await Promise.all(newer)).filter(({ connack }) => connack.reasonCode !== 0);
  t.ok(late.length > 0);
  for (const { connack } of late) {
    t.match(connack, { reasonCode: 0x9f, properties: { reasonString: /too many attempts/ } });
  }
  t.ok((await metric(s, 'pollcast_mqtt_slowed_total{packet="connect"}')) > 0);
  const answers = await Promise.all(storm);
  t.ok(answers.filter((answer) => answer === ACCEPTED).length >= 10, 'those in time get in');
  t.ok(answers.filter((answer) => answer === UNAVAILABLE).length >= 20);
});

t.test('a device that connects again and again waits, whatever its address', async (t) => {
  const s = await withPoll(t, { connectsPerSecond: '0' });
  const lines = await Promise.all(
    Array.from({ length: 150 }, async (_, i) => {
      const line = await openLine(t, s, 'tcp', `127.0.0.${3 + (i % 5)}`);
      line.send(connectPacket('restless'));
      return line;
    }),
  );
  await atLeast('refusals', 20, () => refused(s, 'rate'));
  await votes(t, s, 'good');
  for (const line of lines) line.stream.destroy();
});

t.test('what an address opens again and again is refused, but others get in', async (t) => {
  const s = await withPoll(t, { connectsPerSecond: '1' });
  const upgrade = 'GET /mqtt HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const open = async () => (await openLine(t, s, 'tcp', BAD)).stream.destroy();
  await eventually('a refusal', async () => {
    await Promise.all(Array.from({ length: 200 }, open));
    const line = await openLine(t, { mqtt: s.http, http: s.http }, 'tcp', BAD);
    line.send(Buffer.from(upgrade));
    await line.closed();
    const isRefused = line.received().toString().startsWith('HTTP/1.1 429');
    return isRefused && (await refused(s, 'rate')) >= 50 ? true : undefined;
  });
  for (const via of ['tcp', 'ws'] as const) await votes(t, s, `good-${via}`, GOOD, via);
});

t.test('one address does not get all places', async (t) => {
  const s = await withPoll(t, { maxConnections: '20', maxConnectionsPerAddress: '5' });
  const lines: Line[] = [];
  for (let i = 0; i < 5; i++) lines.push(await votes(t, s, `d${i}`, BAD));
  const sixth = await openLine(t, s, 'tcp', BAD);
  sixth.send(connectPacket('d5'));
  t.equal(await sixth.next(4), UNAVAILABLE);
  await sixth.closed();
  for (const via of ['tcp', 'ws'] as const) {
    const { connack } = await connect5(t, s, 'd6', {}, via, BAD);
    t.match(connack, { reasonCode: 0x97, properties: { reasonString: /too many connections from this address/ } });
  }
  t.equal(await refused(s, 'address'), 3);
  await votes(t, s, 'good');
  await votes(t, s, 'd0', BAD);
  await lines[0]?.closed();
  lines[1]?.stream.destroy();
  await eventually('room', async () => {
    const line = await openLine(t, s, 'tcp', BAD);
    line.send(connectPacket('d7'));
    return (await line.next(4)) === ACCEPTED ? true : undefined;
  });
});

t.test('the address is that of the client, if a trusted proxy says which', async (t) => {
  const settings = { maxConnectionsPerAddress: '2', proxyProtocolFrom: BAD, trustedProxies: BAD };
  const s = await withPoll(t, settings);
  const enter = async (id: string, header: string) => {
    const line = await openLine(t, s, 'tcp', BAD);
    line.send(Buffer.concat([Buffer.from(`${header}\r\n`), bytesOf(connectPacket(id))]));
    return line.next(4);
  };
  for (const id of ['a', 'b']) t.equal(await enter(id, 'PROXY TCP4 192.0.2.1 10.0.0.1 54321 1883'), ACCEPTED);
  t.equal(await enter('c', 'PROXY TCP4 192.0.2.1 10.0.0.1 54321 1883'), UNAVAILABLE);
  t.equal(await enter('d', 'PROXY TCP4 192.0.2.2 10.0.0.1 54321 1883'), ACCEPTED);
  for (const id of ['e', 'f']) t.equal(await enter(id, 'PROXY TCP6 2001:db8::1 ::1 54321 1883'), ACCEPTED);
  t.equal(await enter('g', 'PROXY TCP6 2001:db8::2 ::1 54321 1883'), UNAVAILABLE, 'the same network');
  for (let i = 0; i < 5; i++) t.equal(await enter(`h${i}`, 'PROXY UNKNOWN'), ACCEPTED, 'clients that are not known');
  for (let i = 0; i < 5; i++) await votes(t, s, `w${i}`, BAD, 'ws');
  const forwarded = async (id: string, client: string) => {
    const headers = { 'x-forwarded-for': client };
    const socket = new WebSocket(`${s.http.replace('http', 'ws')}/mqtt`, 'mqtt', { headers });
    t.teardown(() => socket.terminate());
    await once(socket, 'open');
    socket.send(bytesOf(connectPacket(id)));
    const [answer] = (await once(socket, 'message')) as [Buffer];
    return spaced(answer);
  };
  for (const id of ['x', 'y']) t.equal(await forwarded(id, '203.0.113.9'), ACCEPTED);
  t.equal(await forwarded('z', '198.51.100.1, 203.0.113.9'), UNAVAILABLE, 'what a client claims changes nothing');
  t.equal(await forwarded('z', '198.51.100.1'), ACCEPTED);
});

t.test('the last places are for registered devices', async (t) => {
  const s = await withPoll(t, { door: 'devices', maxConnections: '10', maxConnectionsPerAddress: '100' });
  const { body } = await s.call('POST', '/api/devices', { operator: true, body: { device: 'seat-1' } });
  const guest = async () => {
    const { clientId, username, password } = (await s.call('POST', '/api/rooms/hall/join')).body;
    return { clientId, login: { username, password: Buffer.from(password) } };
  };
  for (let i = 0; i < 9; i++) {
    const { clientId, login } = await guest();
    await votes(t, s, clientId, BAD, 'tcp', login);
  }
  const { clientId, login } = await guest();
  const tenth = await openLine(t, s, 'tcp', GOOD);
  tenth.send(connectPacket(clientId, login));
  t.equal(await tenth.next(4), UNAVAILABLE);
  t.equal(await refused(s, 'full'), 1);
  await votes(t, s, 'seat-1', GOOD, 'tcp', { username: 'seat-1', password: Buffer.from(body.secret) });
});

t.test('whoever tries secrets is slowed down and refused, and does not lock the device out', async (t) => {
  const s = await withPoll(t, { door: 'devices' });
  const { body } = await s.call('POST', '/api/devices', { operator: true, body: { device: 'seat-1' } });
  const guesses = Array.from({ length: 100 }, async (_, i) => {
    const line = await openLine(t, s, 'tcp', BAD);
    line.send(connectPacket('seat-1', { username: 'seat-1', password: Buffer.from(`a wrong secret, number ${i}`) }));
    return line.next(4);
  });
  await atLeast('refusals', 50, () => refused(s, 'guessing'));
  const right = { username: 'seat-1', password: Buffer.from(body.secret) };
  await votes(t, s, 'seat-1', GOOD, 'tcp', right);
  await votes(t, s, 'seat-1', BAD, 'tcp', right);
  const wrong = { username: 'seat-1', password: 'a wrong secret, again' };
  const newer = await Promise.all(Array.from({ length: 30 }, () => connect5(t, s, 'seat-1', wrong, 'tcp', GOOD)));
  t.ok(newer.some(({ connack }) => connack.reasonCode === 0x9f));
  t.ok(newer.every(({ connack }) => [0x86, 0x9f].includes(connack.reasonCode)));
  const answers = await Promise.all(guesses);
  t.ok(answers.filter((answer) => answer === WRONG_SECRET).length >= 10);
  t.ok(answers.filter((answer) => answer === UNAVAILABLE).length >= 50);
});

t.test('ten devices that flood the broker are rejected what is too much, and it is counted', async (t) => {
  const s = await withPoll(t, { votesPerSecond: '50', votesAtOnce: '100' });
  const flood = Buffer.concat(Array.from({ length: 600 }, (_, i) => vote(i + 1, 'ab'[i % 2])));
  const flooders = await Promise.all(
    Array.from({ length: 10 }, async (_, i) => {
      const line = await openLine(t, s, 'tcp', BAD);
      line.send(Buffer.concat([bytesOf(connectPacket(`flood${i}`)), flood]));
      return line;
    }),
  );
  const good = await votes(t, s, 'good');
  for (const line of flooders) await line.next(4 + 4 * 600);
  t.notOk(good.isClosed());
  const { accounting, ballots } = await s.resultAfter('q', 10 * 600 + VOTES);
  const { received, counted, replaced, redelivered, rejected } = accounting as NonNullable<typeof accounting>;
  const tooFast = (rejected as Record<string, number>)['too-fast'] ?? 0;
  t.ok(tooFast >= 1_000, `${tooFast} were rejected`);
  t.equal(received, counted + replaced + redelivered + tooFast);
  t.equal(received, 10 * 600 + VOTES);
  t.equal(ballots, 11);
  t.equal(await metric(s, 'pollcast_votes_rejected_total{reason="too-fast"}'), tooFast);
  t.match((await s.call('POST', '/api/polls/q/recount', { operator: true })).body, { agrees: true, isBalanced: true });
});

/** Sends votes one after the other, and resolves with the reason codes of their acknowledgements. */
async function codesOf(device: Line5, count: number, payload: string, more: object = {}): Promise<number[]> {
  const codes: number[] = [];
  for (let i = 0; i < count; i++) {
    const { reasonCode = 0, properties } = await device.vote(payload, more);
    if (reasonCode !== 0 && properties.reasonString !== 'too-fast') throw new Error(properties.reasonString);
    codes.push(reasonCode);
  }
  return codes;
}

t.test('a device hears that it votes too fast, and gets no more by connecting again', async (t) => {
  const s = await withPoll(t, { votesPerSecond: '1', votesAtOnce: '5' });
  const device = await connect5(t, s, 'd');
  const codes = await codesOf(device, 60, 'a');
  t.ok(
    codes.slice(0, 32).every((code) => code === 0),
    'the first ones may have been sent before',
  );
  t.ok(codes.filter((code) => code === 0x97).length >= 10);
  await device.leave();
  const again = await connect5(t, s, 'd');
  t.ok((await codesOf(again, 10, 'a')).includes(0x97));
  await again.leave();
  const old = await s.device('d');
  await old.subscribe('receipt/d');
  for (let i = 0; i < 10; i++) await old.vote('vote/q', 'a');
  await eventually('a receipt', async () =>
    old.messages.some(([, payload]) => payload === 'rejected q too-fast') ? true : undefined,
  );
  const { accounting, ballots } = await s.resultAfter('q', 80);
  t.equal(ballots, 1);
  t.equal(accounting?.received, 80);
  const other = await connect5(t, s, 'e');
  t.same(await codesOf(other, 1, 'b'), [0], 'other devices are not concerned');
});

t.test('a vote that may be a copy of one that was stored is never rejected as too fast', async (t) => {
  const s = await withPoll(t, { votesPerSecond: '1', votesAtOnce: '5' });
  const device = await connect5(t, s, 'd');
  await codesOf(device, 60, 'b');
  await device.leave();
  const again = await connect5(t, s, 'd');
  t.ok((await codesOf(again, 10, 'a')).includes(0x97));
  t.notOk((await codesOf(again, 100, 'c', { dup: true })).includes(0x97), 'with DUP');
  again.cut();
  const after = await connect5(t, s, 'd');
  t.same(await codesOf(after, 1, 'b'), [0], 'after a lost connection, without DUP');
  t.match(await s.resultAfter('q', 171), { ballots: 1, options: [{ count: 0 }, { count: 1 }, { count: 0 }] });
});

t.test('a keep alive that is too long, or none, is shortened', async (t) => {
  const s = await withPoll(t, { maxKeepAliveSeconds: '1' });
  const keepAlives = [0, 2, 65_535];
  await Promise.all(
    keepAlives.map(async (keepalive) => {
      const device = await connect5(t, s, `d${keepalive}`, { keepalive });
      t.equal(device.connack.properties.serverKeepAlive, 1, `${keepalive}`);
      t.equal((await device.farewell()).reasonCode, 0x8d);
    }),
  );
  await Promise.all(
    keepAlives.map(async (keepalive) => {
      const old = await openLine(t, s);
      old.send(connectPacket(`old${keepalive}`, { keepalive }));
      t.equal(await old.next(4), ACCEPTED);
      await old.closed();
    }),
  );
  await atLeast('all to be noted', 6, () => metric(s, 'pollcast_mqtt_disconnected_total{why="keepalive"}'));
  const short = await connect5(t, s, 'short', { keepalive: 1 });
  t.equal(short.connack.properties.serverKeepAlive, undefined, 'a shorter one is not changed');
});
