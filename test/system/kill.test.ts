import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { seeded } from '../../devices-sim/random.ts';
import { isPassed } from '../../devices-sim/report.ts';
import { Simulation, type SimulationOptions } from '../../devices-sim/simulation.ts';
import { Server } from '../support/process.ts';

/** `npm test` kills the server a few times, `npm run test:long` many times. The seed makes a run repeatable. */
const ROUNDS = Number(process.env.CHAOS_ROUNDS ?? 3);
const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 100_000);
const DEVICES = 120;
const VOTES = 40;

t.setTimeout(240_000 + ROUNDS * 20_000);

t.test(`no acknowledged vote is lost by kill -9 under load, ${ROUNDS} times (CHAOS_SEED=${SEED})`, async (t) => {
  const random = seeded(SEED);
  const server = new Server(t.testdir());
  t.teardown(() => server.kill());
  await server.start('--demo');
  let drops = 0;
  let redelivered = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    let isVoting = false;
    let isDone = false;
    let share = 0;
    const simulation = new Simulation(
      { ...load(server), votes: VOTES, rampMs: 1_500, seed: SEED + round },
      (phase, done, total) => {
        isVoting = phase === 'voting';
        if (isVoting) share = done / total;
      },
    );
    const running = simulation.run().finally(() => {
      isDone = true;
    });
    running.catch(() => {});
    // The server is killed after this share of the votes: during the ramp, or in the burst at its end.
    const killAt = random() * 0.95;
    while (!(isVoting && share >= killAt) && !isDone) await sleep(2);
    const isUnderLoad = isVoting;
    await server.kill();
    await sleep(random() * 300);
    await server.start();
    const report = await running;
    t.ok(isPassed(report), `round ${round}: ${report.acknowledged} votes acknowledged, each counted once`);
    if (!isPassed(report)) t.comment(JSON.stringify(report, null, 1));
    t.equal(report.acknowledged, DEVICES * VOTES, 'all votes have been acknowledged');
    t.equal(report.recount?.agrees, true, 'the recount agrees with the live tally');
    t.ok(isUnderLoad, 'the server was killed while votes arrived');
    drops += report.drops;
    redelivered = report.result.accounting?.redelivered ?? 0;
  }
  t.ok(drops >= ROUNDS * DEVICES, `${drops} connections were cut by the kills`);
  t.comment(`${redelivered} redeliveries, none of them counted`);
});

t.test(
  'SIGTERM under load stops the server within 10 s with exit code 0, and no acknowledged vote is lost',
  async (t) => {
    const server = new Server(t.testdir());
    t.teardown(() => server.kill());
    await server.start('--demo');
    let isVoting = false;
    const running = new Simulation({ ...load(server), votes: 50, seed: 5 }, (phase) => {
      isVoting ||= phase === 'voting';
    }).run();
    let isDone = false;
    running.catch(() => {}).finally(() => (isDone = true));
    while (!isVoting && !isDone) await sleep(2);
    t.ok(isVoting, 'votes arrive');
    await sleep(400);
    const startMs = Date.now();
    t.equal(await server.stop(), 0);
    t.ok(Date.now() - startMs < 10_000, `stopping took ${Date.now() - startMs} ms`);
    await server.start();
    t.ok(isPassed(await running));
  },
);

/** The load for both tests. */
function load(server: Server): SimulationOptions {
  return {
    mqttUrls: [server.mqtt],
    httpUrl: server.http,
    token: server.token,
    poll: 'demo',
    devices: DEVICES,
    votes: 1,
    rampMs: 1_000,
    burst: 0.3,
    qosMix: [0, 3, 1],
    payload: 'mixed',
    limitMs: 45_000,
    reconnectMs: 150,
    seed: 1,
  };
}
