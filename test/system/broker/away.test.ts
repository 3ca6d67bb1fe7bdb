import { Redis } from 'ioredis';
import { parser } from 'mqtt-packet';
import t, { type Test } from 'tap';
import { eventually } from '../../support/eventually.ts';
import { connectPacket, isAlive, type Line, openLine } from '../../support/network/line.ts';
import { redisServer } from '../../support/servers.ts';
import { type Stage, stage } from '../../support/stage.ts';

/** The number of clients that are away. */
const AWAY = 50;

interface Announcement {
  readonly topic: string;
  readonly payload: Buffer;
  readonly messageId: number;
  readonly qos: number;
  readonly dup: boolean;
  readonly retain: boolean;
}

/** The announcements that a line has received so far. */
async function announcements(line: Line): Promise<Announcement[]> {
  await isAlive(line);
  const found: Announcement[] = [];
  const parsing = parser();
  parsing.on('packet', (packet) => packet.cmd === 'publish' && found.push(packet as unknown as Announcement));
  parsing.parse(line.received());
  return found;
}

const statusOf = ({ payload }: Announcement): string => JSON.parse(payload.toString()).status;

/** Connects with clean session 0, and reads CONNACK. */
async function line(t: Test, s: Stage, id = 'd'): Promise<Line> {
  const opened = await openLine(t, s);
  opened.send(connectPacket(id, { clean: false }));
  await opened.next(4);
  return opened;
}

const subscribe = (...topics: string[]) =>
  ({ cmd: 'subscribe', messageId: 1, subscriptions: topics.map((topic) => ({ topic, qos: 1 })) }) as never;

async function acknowledge(line: Line): Promise<void> {
  for (const { messageId } of await announcements(line)) line.send({ cmd: 'puback', messageId });
  await isAlive(line);
}

/** Opens or closes a poll, once it is no longer busy closing. */
async function change(s: Stage, poll: string, action: string): Promise<void> {
  await eventually(`${action} ${poll}`, async () => {
    const { status } = await s.call('POST', `/api/polls/${poll}/${action}`, { operator: true });
    return status === 200 ? true : undefined;
  });
}

for (const store of ['embedded', 'Redis'] as const) {
  t.test(`${store}: a client that was away gets the newest announcement of each topic`, async (t) => {
    const directory = t.testdir();
    const redis = store === 'Redis' ? await redisServer(directory) : undefined;
    t.teardown(() => redis?.program.end());
    const settings = redis ? { redisUrl: redis.url } : {};
    const s = await stage(t, settings, directory);
    await s.openPoll('q', { room: 'hall' });
    await s.openPoll('other');
    // The announcer publishes asynchronously.
    const witness = await s.device('witness');
    for (const topic of ['poll/q', 'poll/other', 'room/hall']) {
      await witness.subscribe(topic);
      await witness.next(topic);
    }
    const first = await line(t, s);
    first.send(subscribe('poll/q', 'room/hall', 'poll/other'));
    await first.next(8);
    const initial = await announcements(first);
    t.same(initial.map(({ topic, retain, dup, qos }) => [topic, retain, dup, qos]).sort(), [
      ['poll/other', true, false, 1],
      ['poll/q', true, false, 1],
      ['room/hall', true, false, 1],
    ]);
    await acknowledge(first);
    first.stream.destroy();

    const unchanged = await line(t, s);
    t.same(await announcements(unchanged), [], 'nothing that was acknowledged is sent again');
    unchanged.stream.destroy();

    for (let i = 0; i < 4; i++) {
      await change(s, 'q', 'close');
      await change(s, 'q', 'reopen');
    }
    await change(s, 'q', 'close');
    for (let round = 0, status = ''; round < 5 || status !== 'closed'; ) {
      ({ round, status } = JSON.parse(await witness.next('poll/q')));
    }
    await s.stop();

    const again = await stage(t, settings, directory);
    const second = await line(t, again);
    const missed = await announcements(second);
    t.same(
      missed.map((message) => [message.topic, statusOf(message), message.retain, message.dup, message.qos]).sort(),
      [
        ['poll/q', 'closed', false, false, 1],
        ['room/hall', 'closed', false, false, 1],
      ],
      'over a restart: one message for each topic that has changed, without retain',
    );
    second.stream.destroy();

    const third = await line(t, again);
    const repeated = await announcements(third);
    t.same(
      repeated.map(({ topic, messageId, dup, payload }) => [topic, messageId, dup, payload]).sort(),
      missed.map(({ topic, messageId, payload }) => [topic, messageId, true, payload]).sort(),
      'unacknowledged messages are sent again with their packet ids and DUP',
    );
    third.send({ cmd: 'puback', messageId: repeated.find(({ topic }) => topic === 'poll/q')?.messageId as number });
    await isAlive(third);
    third.stream.destroy();

    const fourth = await line(t, again);
    t.same(
      (await announcements(fourth)).map(({ topic, dup }) => [topic, dup]),
      [['room/hall', true]],
    );
    await change(again, 'q', 'reopen');
    const live = await announcementOf(fourth, 'poll/q');
    t.match(live, { dup: false, retain: false }, 'a new message is not a redelivery');
    fourth.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['room/hall', 'poll/other'] });
    await acknowledge(fourth);
    fourth.stream.destroy();
    t.same(await announcements(await line(t, again)), []);
  });
}

t.test('a retained message that was lost on the way is delivered when the client returns', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const first = await line(t, s);
  first.send(subscribe('poll/q'));
  await announcementOf(first, 'poll/q');
  first.stream.destroy();
  t.match(await announcements(await line(t, s)), [{ topic: 'poll/q', retain: false }]);
});

t.test('a poll that was deleted while a client was away is cleared for it', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const first = await line(t, s);
  first.send(subscribe('poll/q', 'poll/never', 'result/q'));
  await announcementOf(first, 'poll/q');
  await acknowledge(first);
  first.stream.destroy();
  await change(s, 'q', 'close');
  t.equal((await s.call('DELETE', '/api/polls/q', { operator: true })).status, 204);
  const witness = await openLine(t, s);
  for (;;) {
    witness.send(witness.received().length === 0 ? connectPacket('witness') : subscribe('poll/q'));
    const before = (await announcements(witness)).length;
    witness.send(subscribe('poll/q'));
    if ((await announcements(witness)).length === before) break;
  }
  t.same(
    (await announcements(await line(t, s))).map(({ topic, payload }) => [topic, payload.length]),
    [['poll/q', 0]],
  );
});

t.test('announcements cost nothing for clients that are away', async (t) => {
  const redis = await redisServer(t.testdir());
  t.teardown(() => redis.program.end());
  const s = await stage(t, { redisUrl: redis.url });
  const direct = new Redis(redis.url);
  t.teardown(() => direct.disconnect());
  /** Bytes of everything that is stored for MQTT sessions, without retained messages. */
  const size = async () => {
    const keys = (await direct.keys('pollcast:mqtt:*')).filter((key) => !key.includes(':retained'));
    const sizes = await Promise.all(keys.map((key) => direct.memory('USAGE', key)));
    return sizes.reduce((sum: number, bytes) => sum + (bytes ?? 0), 0);
  };
  await s.openPoll('q');
  const before = await size();
  for (let i = 0; i < AWAY; i++) {
    const away = await line(t, s, `away-${i}`);
    away.send(subscribe('poll/q'));
    await announcementOf(away, 'poll/q');
    await acknowledge(away);
    away.stream.destroy();
  }
  const after = await size();
  const perClient = (after - before) / AWAY;
  t.comment(`${Math.round(perClient)} bytes per session`);
  t.ok(perClient < 1_024, `${perClient} bytes per session`);
  for (let i = 0; i < 5; i++) {
    await change(s, 'q', 'close');
    await change(s, 'q', 'reopen');
  }
  await change(s, 'q', 'close');
  await eventually('the last announcement', async () => {
    const witness = await line(t, s, 'away-0');
    const [missed] = await announcements(witness);
    witness.stream.destroy();
    return missed && statusOf(missed) === 'closed' ? true : undefined;
  });
  const grown = (await size()) - after;
  t.ok(grown < AWAY * 16, `eleven announcements took ${grown} bytes`);
});

async function announcementOf(line: Line, topic: string): Promise<Announcement> {
  for (;;) {
    const found = (await announcements(line)).find((message) => message.topic === topic);
    if (found) return found;
  }
}
