import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { seeded } from '../../devices-sim/random.ts';
import { isPassed } from '../../devices-sim/report.ts';
import { Simulation, type SimulationOptions } from '../../devices-sim/simulation.ts';
import { type Deployment, deploy } from '../support/deployment.ts';
import type { Server } from '../support/process.ts';
import type { InfluxServer } from '../support/servers.ts';

/** `npm test` injects a few faults, `npm run test:long` injects all of them several times. The seed makes a run repeatable. */
const ROUNDS = Number(process.env.CHAOS_ROUNDS ?? 0);
const FEW = 3;
const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 100_000);
const DEVICES = 100;
const VOTES = 60;
/** The time in ms that the series may take to catch up: a failed write is retried after at most half a minute. */
const POINTS_LIMIT_MS = 45_000;

t.setTimeout(300_000 + ROUNDS * 240_000);

type Fault = (deployment: Deployment, random: () => number) => Promise<void>;

const kill = async (server: Server, random: () => number) => {
  await server.kill();
  await sleep(random() * 1_000);
  await server.start();
};
const oneOf = <T>(all: readonly T[], random: () => number): T => all[Math.floor(random() * all.length)] as T;

const faults: Record<string, Fault> = {
  'a broker is killed': ({ brokers }, random) => kill(oneOf(brokers, random), random),
  'a processor is killed': ({ processors }, random) => kill(oneOf(processors, random), random),
  'a dashboard is killed': ({ dashboards }, random) => kill(oneOf(dashboards, random), random),
  'Redis is killed': async ({ redis }, random) => {
    await redis.program.end('SIGKILL');
    await sleep(random() * 1_500);
    await redis.program.start();
  },
  'InfluxDB is killed': async ({ influx }, random) => {
    await influx.program.end('SIGKILL');
    await sleep(random() * 2_000);
    await influx.program.start();
  },
  'Redis is frozen for ten seconds': async ({ redis }) => {
    redis.program.signal('SIGSTOP');
    await sleep(10_000);
    redis.program.signal('SIGCONT');
  },
  'a broker’s link to Redis is cut': async ({ link }, random) => {
    link.cut();
    await sleep(500 + random() * 3_000);
    link.heal();
  },
  'a broker’s link to Redis stalls and then delivers': async ({ link }, random) => {
    link.hold();
    await sleep(2_000 + random() * 6_000);
    link.heal();
  },
  'a broker is frozen and resumed': async ({ brokers }, random) => {
    const broker = oneOf(brokers, random);
    broker.signal('SIGSTOP');
    await sleep(2_000 + random() * 5_000);
    broker.signal('SIGCONT');
  },
  'a processor is frozen and another takes over': async ({ processors }, random) => {
    const processor = oneOf(processors, random);
    processor.signal('SIGSTOP');
    await sleep(4_000 + random() * 3_000);
    processor.signal('SIGCONT');
  },
  'all processes are restarted, one after the other': async ({ brokers, processors, dashboards }) => {
    for (const server of [...brokers, ...processors, ...dashboards]) {
      const code = await server.stop();
      if (code !== 0) throw new Error(`ended with ${code}: ${server.output}`);
      await server.start();
    }
  },
};

const chosen = ROUNDS === 0 ? `${FEW} faults` : `all faults ${ROUNDS} times`;
t.test(`every acknowledged vote counts once despite ${chosen} under load (CHAOS_SEED=${SEED})`, async (t) => {
  const random = seeded(SEED);
  const deployment = await deploy(t);
  for (let round = 1; round <= Math.max(1, ROUNDS); round++) {
    for (const name of shuffled(Object.keys(faults), random).slice(0, ROUNDS === 0 ? FEW : undefined)) {
      await t.test(name, (t) => under(t, deployment, faults[name] as Fault, random));
    }
  }
});

/** Causes a fault while devices vote, then checks that every acknowledged vote counts once and that all processes agree. */
async function under(t: Test, deployment: Deployment, fault: Fault, random: () => number): Promise<void> {
  const { dashboards, influx } = deployment;
  const [dashboard, other] = dashboards as [Server, Server];
  let isVoting = false;
  const seed = Math.floor(random() * 1_000_000);
  const running = new Simulation({ ...load(deployment), seed }, (phase) => {
    isVoting ||= phase === 'voting';
  }).run();
  running.catch(() => {});
  while (!isVoting) await sleep(2);
  await sleep(random() * 1_500);
  await fault(deployment, random);
  const report = await running;
  t.ok(
    isPassed(report),
    `${report.acknowledged} votes acknowledged, each counted once, although ${report.drops} connections were cut`,
  );
  if (!isPassed(report)) t.comment(JSON.stringify({ ...report, seed }, null, 1));
  t.equal(report.acknowledged, DEVICES * VOTES, 'all votes have been acknowledged');
  t.equal(
    report.recount?.agrees,
    true,
    `the recount agrees with the live tally: ${report.recount?.differences.join('; ')}`,
  );
  const [one, two] = (await Promise.all([dashboard, other].map(resultOf))) as [Standing, Standing];
  t.same(one, two, 'both dashboards show the same result');
  t.equal(one.votes, report.result.votes, 'the dashboards show the result that the simulator checked');
  const counts = Object.fromEntries(one.options.map(({ key, count }) => [key, count]));
  t.same(
    await lastPoints(influx, one.votes),
    { votes: one.votes, ...counts },
    'the last points in InfluxDB match the result',
  );
}

interface Standing {
  readonly votes: number;
  readonly options: readonly { readonly key: string; readonly count: number }[];
}

async function resultOf(server: Server): Promise<Standing> {
  const response = await fetch(`${server.http}/api/polls/demo/result`);
  return (await response.json()) as Standing;
}

/** The newest values of all series, summed over partitions, once they include this many votes or the time limit is reached. */
async function lastPoints(influx: InfluxServer, votes: number): Promise<Record<string, number>> {
  const endMs = Date.now() + POINTS_LIMIT_MS;
  for (;;) {
    const found: Record<string, number> = { votes: 0 };
    for (const { value } of await influx.query('SELECT last(received) AS value FROM votes GROUP BY partition')) {
      found.votes = Number(found.votes) + Number(value);
    }
    const ballots = await influx.query('SELECT last(count) AS value FROM ballots GROUP BY "option", partition');
    for (const { option, value } of ballots) found[String(option)] = (found[String(option)] ?? 0) + Number(value);
    if (found.votes === votes || Date.now() > endMs) return found;
    await sleep(100);
  }
}

function load({ brokers, dashboards }: Deployment): SimulationOptions {
  return {
    mqttUrls: brokers.map(({ mqtt }) => mqtt),
    httpUrl: dashboards[0]?.http ?? '',
    token: dashboards[0]?.token,
    poll: 'demo',
    devices: DEVICES,
    votes: VOTES,
    rampMs: 2_000,
    burst: 0.3,
    qosMix: [0, 3, 1],
    payload: 'mixed',
    limitMs: 60_000,
    reconnectMs: 150,
    seed: 1,
  };
}

function shuffled<T>(all: readonly T[], random: () => number): T[] {
  return all
    .map((one) => [random(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);
}
