import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { eventually } from '../support/eventually.ts';
import { Racer } from '../support/network/races.ts';
import { Voters } from '../support/network/voters.ts';
import { Server } from '../support/process.ts';
import { promoted, redisSentinels, type SentinelSetup, tell } from '../support/servers.ts';

t.setTimeout(300_000);

/** How long in ms devices vote after a failover has begun. The old primary is demoted about 10 s after it. */
const AFTER_MS = 14_000;
const ROWS = 10;

async function deploymentOn(t: Test, redis: SentinelSetup, env: Record<string, string> = {}) {
  const on = (command: string) => {
    const directory = join(t.testdirName, command);
    mkdirSync(directory, { recursive: true });
    const server = new Server(directory, { command, env: { POLLCAST_REDIS_URL: redis.url, ...env } });
    t.teardown(() => server.kill());
    return server;
  };
  const [broker, processor, dashboard] = [on('broker'), on('processor'), on('dashboard')] as const;
  await Promise.all([broker.start(), processor.start()]);
  await dashboard.start('--demo');
  const api = async (method: string, path: string, body?: object) => {
    const headers: Record<string, string> = { authorization: `Bearer ${dashboard.token}` };
    if (body) headers['content-type'] = 'application/json';
    const answer = await fetch(dashboard.http + path, { method, headers, body: body ? JSON.stringify(body) : null });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  return { broker, processor, dashboard, api };
}

/** Promotes the replica, as an operator does before maintenance. */
async function failOver({ sentinels, replica }: SentinelSetup): Promise<void> {
  await tell(sentinels[0]?.port ?? 0, 'SENTINEL', 'FAILOVER', 'votes');
  await promoted(replica);
}

for (const durability of ['append', 'replicated'] as const) {
  t.test(`a planned failover loses no acknowledged vote at ${durability}`, async (t) => {
    const redis = await redisSentinels(t.testdir());
    t.teardown(() => redis.end());
    const { broker, api } = await deploymentOn(t, redis, { POLLCAST_DURABILITY: durability });
    const voters = new Voters(() => broker.mqttPort, 'vote/demo', ROWS);
    t.teardown(() => voters.abandon());
    const more = async (than: number) =>
      eventually('acknowledged votes', async () => (voters.acknowledged > than ? true : undefined));
    await more(100);
    await failOver(redis);
    const before = voters.acknowledged;
    await sleep(AFTER_MS);
    // With one replica, nothing is replicated until the old primary has become one.
    await more(before + 100);
    await voters.stop();
    const ballots = await counted(api, voters.acknowledged);
    t.equal(ballots, voters.acknowledged, 'every device that was acknowledged has a ballot');
  });
}

/** The number of ballots, once it has reached `most` or has not for a while. */
async function counted(
  api: (method: string, path: string) => Promise<{ body: Record<string, unknown> }>,
  most: number,
) {
  let ballots = 0;
  for (let i = 0; i < 100; i++) {
    ballots = (await api('GET', '/api/polls/demo/result')).body.ballots as number;
    if (ballots >= most) break;
    await sleep(100);
  }
  return ballots;
}

t.test('a poll that a failover has lost takes no votes, and the brokers say so', async (t) => {
  const redis = await redisSentinels(t.testdir());
  t.teardown(() => redis.end());
  const { broker, dashboard, api } = await deploymentOn(t, redis);
  t.equal(await tell(redis.primary.port, 'WAIT', '1', '5000'), 1, 'the replica has everything so far');
  // It receives nothing of what follows.
  redis.replica.program.signal('SIGSTOP');
  await tell(redis.primary.port, 'CLIENT', 'KILL', 'TYPE', 'replica');
  const options = ['a', 'b'].map((key) => ({ key, label: key }));
  await api('POST', '/api/polls', { poll: 'ghost', title: 'Ghost', options });
  t.equal((await api('POST', '/api/polls/ghost/open')).status, 200);
  const voters = new Voters(() => broker.mqttPort, 'vote/ghost', 1);
  t.teardown(() => voters.abandon());
  await eventually('a vote', async () => (voters.acknowledged > 0 ? true : undefined));
  await voters.stop();
  await redis.primary.program.end('SIGKILL');
  redis.replica.program.signal('SIGCONT');
  await promoted(redis.replica);
  await eventually('the API without the poll', async () =>
    (await api('GET', '/api/polls/ghost')).status === 404 ? true : undefined,
  );
  await eventually('the broker to say so', async () =>
    /the store has lost a poll/.test(broker.output) ? true : undefined,
  );
  // Like a real device, it comes back until it is acknowledged: the broker may still be on its way to the new primary.
  let late = new Racer(broker.mqttPort).enter('late');
  let hasVoted = false;
  t.teardown(() => late.socket.destroy());
  await eventually('the answer', async () => {
    if (late.isClosed) {
      late = new Racer(broker.mqttPort).enter('late');
      hasVoted = false;
    } else if (late.isOpen && !hasVoted) {
      late.vote('vote/ghost', 'a');
      hasVoted = true;
    }
    return late.votes === 1 ? true : undefined;
  });
  const metrics = await (await fetch(`${broker.http}/metrics`)).text();
  t.match(metrics, /pollcast_votes_rejected_total\{reason="unknown-poll"\} [1-9]/, 'a vote for the poll is refused');
  t.match(metrics, /pollcast_polls_vanished_total 1/);
  t.match(broker.output, /Redis has lost acknowledged votes/, 'the lost entries are reported');
  t.match(metrics, /pollcast_store_losses_total [1-9]/);
  t.notMatch(dashboard.output, /a defect/);
});

t.test('sentinels that ask for a password', async (t) => {
  const redis = await redisSentinels(t.testdir(), ['requirepass sesame', 'sentinel sentinel-pass sesame']);
  t.teardown(() => redis.end());
  const { broker } = await deploymentOn(t, redis, { POLLCAST_SENTINEL_PASSWORD: 'sesame' });
  t.equal((await fetch(`${broker.http}/ready`)).status, 200);
});
