import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { eventually } from '../support/eventually.ts';
import { endedByStore, Racer, raceCount, races, randomOf, voteOnce } from '../support/network/races.ts';
import { Server } from '../support/process.ts';
import { redisServer } from '../support/servers.ts';

const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 100_000);

/** A broker may store votes for 3 s after it has renewed its lease. */
const LONGER_THAN_LEASE_MS = 3_500;

t.setTimeout(600_000);

/** Two brokers, a processor and a dashboard with an open demo poll, over one Redis. */
async function twoBrokers(t: Test, env: Record<string, string> = {}) {
  const directory = t.testdir({ one: {}, two: {}, processor: {}, dashboard: {} });
  const redis = await redisServer(join(directory, 'redis'));
  t.teardown(() => redis.program.end());
  const on = (name: string, command: string) => {
    const server = new Server(join(directory, name), { command, env: { POLLCAST_REDIS_URL: redis.url, ...env } });
    t.teardown(() => server.kill());
    return server;
  };
  const [one, two] = [on('one', 'broker'), on('two', 'broker')];
  const [processor, dashboard] = [on('processor', 'processor'), on('dashboard', 'dashboard')];
  await Promise.all([one.start(), two.start(), processor.start()]);
  await dashboard.start('--demo');
  const api = async (method: string, path: string, body?: object) => {
    const headers: Record<string, string> = { authorization: `Bearer ${dashboard.token}` };
    if (body) headers['content-type'] = 'application/json';
    const answer = await fetch(dashboard.http + path, { method, headers, body: body ? JSON.stringify(body) : null });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
  };
  const resultAfter = (votes: number) =>
    eventually(`${votes} votes`, async () => {
      const { body } = await api('GET', '/api/polls/demo/result');
      return (body.votes as number) >= votes ? body : undefined;
    });
  const ports = [one.mqttPort, two.mqttPort] as const;
  const unstored = () => endedByStore([one.http, two.http]);
  return { one, two, ports, api, resultAfter, unstored };
}

const isTrue = async (what: string, ask: () => boolean) => eventually(what, async () => (ask() ? true : undefined));

t.test(
  `of several connections of one client id exactly one remains, on two brokers (CHAOS_SEED=${SEED})`,
  async (t) => {
    const { ports, resultAfter, unstored } = await twoBrokers(t);
    const count = raceCount(300);
    const comebacks = await races(SEED, count, ports, 'vote/demo');
    t.ok(comebacks <= (await unstored()), 'nothing ended a last connection but a vote that could not be stored');
    t.match(await resultAfter(count), { ballots: count, votes: count });
  },
);

t.test('a vote of a connection that another broker has taken over counts only if it was accepted before', async (t) => {
  const { ports, resultAfter } = await twoBrokers(t);
  const random = randomOf(SEED);
  let acknowledged = 0;
  const rounds = 60;
  for (let round = 0; round < rounds; round++) {
    const from = random() < 0.5 ? 0 : 1;
    const old = new Racer(ports[from] as number).enter(`d${round}`);
    await isTrue('CONNACK', () => old.isOpen);
    const now = new Racer(ports[1 - from] as number).enter(`d${round}`);
    while (!now.isOpen) {
      old.vote('vote/demo', 'a');
      await sleep(1);
    }
    for (let i = 0; i < 5; i++) old.vote('vote/demo', 'b');
    await isTrue('the end of the old connection', () => old.isClosed);
    acknowledged += old.votes;
    now.socket.destroy();
    await isTrue('the end of the newer connection', () => now.isClosed);
  }
  const { votes, options } = (await resultAfter(acknowledged)) as { votes: number; options: { count: number }[] };
  t.equal(votes, acknowledged, 'the log has what was acknowledged, and nothing else');
  t.equal(options[1]?.count, 0, 'no vote was accepted after the newer connection was ready');
});

t.test('a broker that was paused ends what was taken over in the meantime, before it stores votes again', async (t) => {
  const { one, ports, resultAfter } = await twoBrokers(t);
  const old = new Racer(ports[0]).enter('d');
  await isTrue('CONNACK', () => old.isOpen);
  old.vote('vote/demo', 'a');
  await isTrue('its acknowledgement', () => old.isAnswered);
  process.kill(one.pid as number, 'SIGSTOP');
  const now = new Racer(ports[1]).enter('d');
  old.vote('vote/demo', 'b');
  await isTrue('CONNACK of the newer connection', () => now.isOpen);
  old.vote('vote/demo', 'b');
  process.kill(one.pid as number, 'SIGCONT');
  await isTrue('the end of the old connection', () => old.isClosed);
  t.equal(now.isClosed, false);
  now.vote('vote/demo', 'c');
  await isTrue('the newer vote', () => now.isAnswered);
  t.match(await resultAfter(2), { votes: 2, ballots: 1, options: [{ count: 0 }, { count: 0 }, { count: 1 }] });
});

t.test(
  'a broker that stood still for longer than its lease ends a connection that has voted, and its device comes back',
  async (t) => {
    const { one, ports, resultAfter, unstored } = await twoBrokers(t);
    const racer = new Racer(ports[0]).enter('d');
    await isTrue('CONNACK', () => racer.isOpen);
    one.signal('SIGSTOP');
    const voted = voteOnce(racer, 'd', 'vote/demo');
    await sleep(LONGER_THAN_LEASE_MS);
    one.signal('SIGCONT');
    t.ok((await voted) > 0);
    t.ok((await voted) <= (await unstored()));
    t.match(await resultAfter(1), { votes: 1, ballots: 1 });
  },
);

t.test('a guest that is revoked, alone or with its room, loses its connection on every broker', async (t) => {
  const env = { POLLCAST_DOOR: 'devices', POLLCAST_GUESTS_PER_ADDRESS: '1000' };
  const { ports, api, resultAfter } = await twoBrokers(t, env);
  const random = randomOf(SEED);
  const join = async () => {
    const { body } = await api('POST', '/api/rooms/main/join');
    return {
      device: body.device as string,
      login: { username: body.username as string, password: body.password as string },
    };
  };
  const [rounds, voted] = [200, 20];
  let slowestMs = 0;
  for (let round = 0; round < rounds; round++) {
    const { device, login } = await join();
    const [port, other] = random() < 0.5 ? ports : ([ports[1], ports[0]] as const);
    const old = new Racer(port).enter(device, login);
    // The guest may be revoked before, while or after the broker admits it.
    if (random() < 0.5) await isTrue('CONNACK', () => old.isOpen);
    else await sleep(random() * 8);
    const revoked = await api('DELETE', round % 10 === 5 ? '/api/rooms/main/guests' : `/api/guests/${device}`);
    const atMs = performance.now();
    t.ok(revoked.status < 300, `round ${round}`);
    const again = await join();
    await isTrue('the end of the revoked guest', () => old.isClosed);
    slowestMs = Math.max(slowestMs, performance.now() - atMs);
    const back = new Racer(other).enter(device, login);
    await isTrue('the refusal of the revoked guest', () => back.isClosed);
    t.equal(back.isOpen, false);
    if (round % (rounds / voted) > 0) continue;
    const now = new Racer(other).enter(again.device, again.login);
    await isTrue('CONNACK of the new guest', () => now.isOpen);
    now.vote('vote/demo', 'a');
    await isTrue('its vote', () => now.isAnswered);
    t.equal(now.isClosed, false);
    now.socket.destroy();
  }
  t.comment(`the slowest of ${rounds} revocations took ${Math.round(slowestMs)} ms`);
  t.match(await resultAfter(voted), { votes: voted, ballots: voted });
});

t.test('a device that is removed and registered again loses its connection on every broker', async (t) => {
  const { ports, api, resultAfter } = await twoBrokers(t, { POLLCAST_DOOR: 'devices' });
  const random = randomOf(SEED);
  const rounds = 60;
  for (let round = 0; round < rounds; round++) {
    const device = `seat-${round}`;
    const register = async () => {
      const { body } = await api('POST', '/api/devices', { device });
      return { username: device, password: body.secret as string };
    };
    const port = ports[random() < 0.5 ? 0 : 1] as number;
    const old = new Racer(port).enter(device, await register());
    // The removal may come before, while or after the broker admits the device.
    if (random() < 0.5) await isTrue('CONNACK', () => old.isOpen);
    else await sleep(random() * 8);
    t.equal((await api('DELETE', `/api/devices/${device}`)).status, 204);
    const login = await register();
    await isTrue('the end of the removed device', () => old.isClosed);
    if (round % 10 > 0) continue;
    const now = new Racer(port).enter(device, login);
    await isTrue('CONNACK', () => now.isOpen);
    t.equal((await api('PATCH', `/api/devices/${device}`, { label: 'front row' })).status, 200);
    now.vote('vote/demo', 'a');
    await isTrue('its vote', () => now.isAnswered);
    t.equal(now.isClosed, false, 'a change does not disconnect a device');
    now.socket.destroy();
  }
  t.match(await resultAfter(rounds / 10), { votes: rounds / 10, ballots: rounds / 10 });
});
