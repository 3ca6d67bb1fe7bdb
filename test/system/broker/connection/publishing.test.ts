/** What devices publish, byte by byte: exchanges at QoS 2 in every order, keep alive, and order among other packets. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { generate, type IPublishPacket } from 'mqtt-packet';
import t, { type Test } from 'tap';
import { eventually } from '../../../support/eventually.ts';
import { connectPacket, isAlive, type Line, openLine, type Via } from '../../../support/network/line.ts';
import { Server } from '../../../support/process.ts';
import { redisServer } from '../../../support/servers.ts';
import { type Stage, stage } from '../../../support/stage.ts';
import { withPoll } from '../devices.ts';

t.setTimeout(120_000);

const publish = (payload: string, messageId: number, more: Partial<IPublishPacket> = {}) =>
  generate({ cmd: 'publish', topic: 'vote/q', payload, qos: 2, messageId, dup: false, retain: false, ...more });
const pubrel = (messageId: number) => generate({ cmd: 'pubrel', messageId });
const PUBREC_1 = '50 02 00 01';
const PUBCOMP_1 = '70 02 00 01';

/** A line on which CONNECT has been accepted. */
async function connected(
  t: Test,
  to: { mqtt: string; http: string },
  via: Via = 'tcp',
  more: object = {},
): Promise<Line> {
  const line = await openLine(t, to, via);
  line.send(connectPacket('d', more));
  t.match(await line.next(4), /^20 02 0[01] 00$/);
  return line;
}

/** What became of the votes of poll `q`, and the options with their counts. */
async function counted(s: Stage, received: number) {
  const { accounting, options } = await eventually(`${received} votes`, async () => {
    const { body } = await s.call('GET', '/api/polls/q/result', { operator: true });
    return body.accounting?.received >= received ? body : undefined;
  });
  return { ...accounting, counts: options.map(({ count = 0 }) => count) };
}

for (const via of ['tcp', 'ws'] as const) {
  t.test(
    `${via}: a packet at QoS 2 counts once until it is released, with or without DUP [MQTT-4.3.3-2]`,
    async (t) => {
      const s = await withPoll(t, { revote: 'max 2' });
      const line = await connected(t, s, via);
      line.send(Buffer.concat([publish('a', 1), publish('a', 1, { dup: true }), publish('a', 1)]));
      t.equal(await line.next(12), [PUBREC_1, PUBREC_1, PUBREC_1].join(' '), 'before PUBREC');
      line.send(publish('a', 1, { dup: true }));
      t.equal(await line.next(4), PUBREC_1, 'after PUBREC');
      line.send(Buffer.concat([pubrel(1), pubrel(1)]));
      t.equal(await line.next(8), `${PUBCOMP_1} ${PUBCOMP_1}`, 'PUBREL sent again');
      line.send(pubrel(777));
      t.equal(await line.next(4), '70 02 03 09', 'PUBREL of an unknown id');
      line.send(Buffer.concat([publish('b', 1), pubrel(1)]));
      t.equal(await line.next(8), `${PUBREC_1} ${PUBCOMP_1}`, 'the id is free for another vote');
      t.match(await counted(s, 2), {
        received: 2,
        counted: 1,
        replaced: 1,
        redelivered: 0,
        rejected: {},
        counts: [0, 1, 0],
      });
    },
  );

  t.test(`${via}: acknowledgements of all kinds keep the order of the packets`, async (t) => {
    const s = await withPoll(t);
    const line = await connected(t, s, via);
    line.send(
      Buffer.concat([
        publish('a', 1),
        publish('{}', 2, { topic: 'device/d/status', qos: 1 }),
        pubrel(9),
        publish('a', 3, { topic: 'vote/nowhere', qos: 1 }),
        publish('b', 0, { qos: 0 }),
        pubrel(1),
        publish('c', 4, { qos: 1 }),
      ]),
    );
    const acknowledgements = [PUBREC_1, '40 02 00 02', '70 02 00 09', '40 02 00 03', PUBCOMP_1, '40 02 00 04'];
    t.equal(await line.next(24), acknowledgements.join(' '));
    t.match(await counted(s, 3), { counted: 1, replaced: 2, counts: [0, 0, 1] });
  });

  t.test(`${via}: what was published before DISCONNECT counts, and nothing after it`, async (t) => {
    const s = await withPoll(t);
    const line = await connected(t, s, via);
    const disconnect = generate({ cmd: 'disconnect' });
    line.send(Buffer.concat([publish('a', 1, { qos: 1 }), publish('b', 0, { qos: 0 }), disconnect, publish('c', 2)]));
    await line.closed();
    t.match(await counted(s, 2), { received: 2, counts: [0, 1, 0] });
  });

  t.test(`${via}: SUBSCRIBE and a vote in one write: the vote gets its receipt`, async (t) => {
    const s = await withPoll(t);
    const line = await connected(t, s, via);
    const subscribe = generate({ cmd: 'subscribe', messageId: 5, subscriptions: [{ topic: 'receipt/d', qos: 0 }] });
    line.send(Buffer.concat([subscribe, publish('a', 1, { qos: 1 }), generate({ cmd: 'pingreq' })]));
    await eventually('the receipt', async () => (line.received().includes('accepted q') ? true : undefined));
    const text = line.received().toString('hex');
    for (const part of ['900300', '40020001', 'd000']) t.ok(text.includes(part), part);
    t.ok(text.indexOf('40020001') < text.indexOf(Buffer.from('receipt/d').toString('hex')), 'after PUBACK');
  });

  t.test(
    `${via}: a device that only votes stays connected, and one that is silent does not [MQTT-3.1.2-24]`,
    async (t) => {
      const s = await withPoll(t);
      const line = await connected(t, s, via, { keepalive: 2 });
      for (let i = 1; i <= 5; i++) {
        await sleep(800);
        t.notOk(line.isClosed(), `${i * 800} ms`);
        if (i % 2) line.send(publish('a', i, { qos: 1 }));
        else line.send(pubrel(i));
        await line.next(4);
      }
      await line.closed();
      const text = await (await fetch(`${s.http}/metrics`)).text();
      t.match(text, /pollcast_mqtt_disconnected_total\{why="keepalive"\} 1/);
    },
  );
}

t.test('what was published before a half-close counts', async (t) => {
  const s = await withPoll(t);
  const line = await connected(t, s);
  const votes = Array.from({ length: 700 }, (_, i) => publish('ab'[i % 2] as string, i + 1, { qos: 1 }));
  line.stream.end(Buffer.concat(votes));
  await line.closed();
  t.match(await counted(s, 700), { received: 700, counts: [0, 1, 0] });
});

t.test('CONNECT, votes and a half-close at once: the votes count', async (t) => {
  const s = await withPoll(t);
  const line = await openLine(t, s);
  const votes = [publish('a', 1, { qos: 1 }), publish('b', 0, { qos: 0 })];
  line.stream.end(Buffer.concat([generate(connectPacket('d')), ...votes]));
  await line.closed();
  t.match(await counted(s, 2), { received: 2, counts: [0, 1, 0] });
});

t.test('a device that releases nothing is disconnected', async (t) => {
  const s = await withPoll(t);
  const line = await connected(t, s);
  line.send(Buffer.concat(Array.from({ length: 1_000 }, (_, i) => publish('a', i + 1))));
  await line.next(4_000);
  t.ok(await isAlive(line), 'a thousand ids may be held');
  line.send(publish('a', 1_000, { dup: true }));
  t.equal(await line.next(6), 'd0 00 50 02 03 e8');
  line.send(publish('a', 1_001));
  await line.closed();
  t.equal((await counted(s, 1_000)).received, 1_000);
});

t.test('a packet at QoS 2 counts once, although the device reconnects before it is released', async (t) => {
  for (const { clean, dup, end } of [
    { clean: false, dup: true, end: 'cut' },
    { clean: false, dup: false, end: 'cut' },
    { clean: false, dup: false, end: 'DISCONNECT' },
    { clean: true, dup: true, end: 'cut' },
  ]) {
    await t.test(`clean ${clean}, DUP ${dup}, ${end}`, async (t) => {
      const s = await withPoll(t, { revote: 'max 2' });
      const line = await connected(t, s, 'tcp', { clean });
      line.send(publish('a', 1));
      await line.next(4);
      if (end === 'DISCONNECT') line.send(generate({ cmd: 'disconnect' }));
      else line.stream.destroy();
      await line.closed();
      const second = await connected(t, s, 'tcp', { clean });
      second.send(publish('a', 1, { dup }));
      t.equal(await second.next(4), PUBREC_1);
      second.send(pubrel(1));
      t.equal(await second.next(4), PUBCOMP_1);
      second.send(Buffer.concat([publish('b', 2), pubrel(2)]));
      await second.next(8);
      t.match(await counted(s, 3), { counted: 1, replaced: 1, redelivered: 1, rejected: {}, counts: [0, 1, 0] });
    });
  }
});

/** Opens the secret poll `q` on a server. */
async function openSecretPoll(http: string, token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const options = ['a', 'b'].map((key) => ({ key, label: key }));
  const poll = { poll: 'q', title: 'Q', options, revote: 'max 2', secrecy: 'secret', visibility: 'closed' };
  for (const [path, body] of [
    ['/api/polls', poll],
    ['/api/polls/q/open', {}],
  ] as const) {
    const answer = await fetch(http + path, { method: 'POST', headers, body: JSON.stringify(body) });
    t.ok(answer.ok, `${path}: ${answer.status}`);
  }
}

/** A vote with a text that a search finds. */
function marked(): { vote: string; mark: string } {
  const mark = randomBytes(12).toString('hex');
  return { vote: JSON.stringify({ c: 'a', note: mark }), mark };
}

t.test('a secret vote at QoS 2 is in no file, and counts once although the broker is killed', async (t) => {
  const server = new Server(t.testdir());
  t.teardown(() => server.kill());
  await server.start();
  await openSecretPoll(server.http, server.token);
  const { vote, mark } = marked();
  const line = await connected(t, server, 'tcp', { clean: false });
  line.send(publish(vote, 1));
  t.equal(await line.next(4), PUBREC_1);
  await sleep(300);
  for (const entry of await readdir(server.directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    t.notOk((await readFile(file)).includes(mark), file);
  }
  await server.kill();
  await server.start();
  const second = await connected(t, server, 'tcp', { clean: false });
  second.send(Buffer.concat([publish(vote, 1, { dup: true }), pubrel(1), pubrel(1)]));
  t.equal(await second.next(12), [PUBREC_1, PUBCOMP_1, PUBCOMP_1].join(' '));
  const found = await eventually('two votes', async () => {
    const answer = await fetch(`${server.http}/api/polls/q/result`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    const { accounting } = (await answer.json()) as { accounting?: { received: number } };
    return accounting?.received === 2 ? accounting : undefined;
  });
  t.match(found, { counted: 1, redelivered: 1, rejected: {} });
});

t.test('over Redis, a secret vote at QoS 2 is in no key, and counts once at two brokers', async (t) => {
  const directory = t.testdir({ redis: {} });
  const redis = await redisServer(join(directory, 'redis'));
  t.teardown(() => redis.program.end());
  const [one, two] = [await stage(t, { redisUrl: redis.url }), await stage(t, { redisUrl: redis.url })];
  await one.openPoll('q', { revote: 'max 2', secrecy: 'secret', visibility: 'closed' });
  await two.resultAfter('q', 0);
  const { vote, mark } = marked();
  const line = await connected(t, one, 'tcp', { clean: false });
  line.send(publish(vote, 1));
  t.equal(await line.next(4), PUBREC_1);
  await sleep(300);
  const direct = new Redis(redis.url);
  t.teardown(() => direct.disconnect());
  await direct.config('SET', 'rdbcompression', 'no');
  const keys = await direct.keys('*');
  t.ok(keys.some((key) => key.includes(':mqtt:')));
  for (const key of keys) t.notOk((await direct.dumpBuffer(key))?.includes(mark), key);
  const second = await connected(t, two, 'tcp', { clean: false });
  second.send(Buffer.concat([publish(vote, 1, { dup: true }), pubrel(1)]));
  t.equal(await second.next(8), `${PUBREC_1} ${PUBCOMP_1}`);
  t.match(await counted(one, 2), { counted: 1, redelivered: 1, rejected: {} });
});
