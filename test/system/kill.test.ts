import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { seeded } from '../../devices-sim/choices.ts';
import { isPassed } from '../../devices-sim/report.ts';
import { Simulation, type SimulationOptions } from '../../devices-sim/simulation.ts';
import { Server } from '../process.ts';

/** `npm test` kills a few times, `npm run test:chaos` often. The seed makes a run repeatable. */
const ROUNDS = Number(process.env.CHAOS_ROUNDS ?? 3);
const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 100_000);
const DEVICES = 120;
const VOTES = 40;

t.setTimeout(60_000 + ROUNDS * 20_000);

t.test(`kill -9 at random moments under load, ${ROUNDS} times (CHAOS_SEED=${SEED})`, async (t) => {
  const random = seeded(SEED);
  const server = await Server.on(t.testdir());
  t.teardown(() => server.kill());
  await server.start('--demo');
  let drops = 0;
  let redelivered = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    let isVoting = false;
    let isDone = false;
    const simulation = new Simulation({ ...load(server), votes: VOTES, rampMs: 1_500, seed: SEED + round }, (phase) => {
      isVoting = phase === 'voting';
    });
    const running = simulation.run().finally(() => {
      isDone = true;
    });
    running.catch(() => {});
    while (!isVoting && !isDone) await sleep(2);
    // Within the ramp and a little more: by then the burst at its end is under way.
    await sleep(random() * 1_700);
    const isUnderLoad = isVoting;
    await server.kill();
    await sleep(random() * 300);
    await server.start();
    const report = await running;
    t.ok(isPassed(report), `round ${round}: ${report.acknowledged} acknowledged, all counted once`);
    if (!isPassed(report)) t.comment(JSON.stringify(report, null, 1));
    t.equal(report.acknowledged, DEVICES * VOTES, 'every device got its acknowledgement in the end');
    t.equal(report.recount?.agrees, true, 'the recount agrees');
    t.ok(isUnderLoad, 'the kill came while votes came in');
    drops += report.drops;
    redelivered = report.result.accounting.redelivered;
  }
  t.ok(drops >= ROUNDS * DEVICES, `${drops} connections were cut`);
  t.comment(`${redelivered} redeliveries, none of them counted`);
});

t.test('SIGTERM under load: stops within 10 s with exit code 0, nothing acknowledged is lost', async (t) => {
  const server = await Server.on(t.testdir());
  t.teardown(() => server.kill());
  await server.start('--demo');
  let isVoting = false;
  const running = new Simulation({ ...load(server), votes: 50, seed: 5 }, (phase) => {
    isVoting ||= phase === 'voting';
  }).run();
  running.catch(() => {});
  while (!isVoting) await sleep(2);
  await sleep(400);
  const startMs = Date.now();
  t.equal(await server.stop(), 0);
  t.ok(Date.now() - startMs < 10_000, `${Date.now() - startMs} ms`);
  await server.start();
  t.ok(isPassed(await running));
});

/** What both tests put on the server. */
function load(server: Server): SimulationOptions {
  return {
    mqttUrl: server.mqtt,
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
