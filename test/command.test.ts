import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ConfigError, isLoopback, readConfig } from '../core/runtime/config.ts';
import { Lifecycle } from '../core/runtime/lifecycle.ts';
import { createLog } from '../core/runtime/log.ts';
import { flagOf, settings } from '../core/runtime/settings.ts';
import { randomChoice, seeded } from '../devices-sim/choices.ts';
import { Ledger } from '../devices-sim/ledger.ts';
import { compareBallots, compareTallies, isExact } from '../devices-sim/verdict.ts';
import { pollcast, Server } from './process.ts';

const problemsOf = (environment: Record<string, string>, flags = {}): readonly string[] => {
  try {
    readConfig(flags, environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
};

t.test('configuration: defaults, variables, flags', async (t) => {
  t.match(readConfig({}, {}), {
    host: '127.0.0.1',
    mqttPort: 1883,
    httpPort: 8080,
    dataDir: 'data',
    door: 'open',
    partitions: 4,
  });
  t.equal(readConfig({}, { POLLCAST_MQTT_PORT: '2883' }).mqttPort, 2883);
  t.equal(readConfig({ mqttPort: '3883' }, { POLLCAST_MQTT_PORT: '2883' }).mqttPort, 3883, 'a flag wins');
  t.equal(flagOf(settings.operatorToken.variable), '--operator-token');
  t.equal(readConfig({}, { POLLCAST_HOST: '0.0.0.0', POLLCAST_DOOR: 'open' }).door, 'open', 'on purpose');
  t.equal(readConfig({}, { POLLCAST_HOST: '0.0.0.0', POLLCAST_DOOR: 'devices' }).door, 'devices');
});

t.test('configuration: the README lists every setting with its default', async (t) => {
  const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
  for (const { variable, fallback } of Object.values(settings)) {
    const row = readme.split('\n').find((line) => line.startsWith(`| \`${variable}\``));
    t.ok(row && (fallback === '' || row.includes(`\`${fallback}\``)), `${variable}: ${row}`);
  }
});

t.test('configuration: every problem at once, saying what instead', async (t) => {
  const problems = problemsOf({
    POLLCAST_MQTT_PORT: '99999',
    POLLCAST_HTTP_PORT: 'http',
    POLLCAST_OPERATOR_TOKEN: 'short',
    POLLCAST_DOOR: 'ajar',
    POLLCAST_PARTITIONS: '0',
    POLLCAST_MQTT_PROT: '1',
  });
  t.match(problems, [
    /POLLCAST_MQTT_PORT: expected a whole number from 0 to 65535, not "99999"/,
    /POLLCAST_HTTP_PORT/,
    /POLLCAST_OPERATOR_TOKEN: expected at least 16 characters/,
    /POLLCAST_DOOR: expected one of open, devices/,
    /POLLCAST_PARTITIONS/,
    /POLLCAST_MQTT_PROT: there is no such setting/,
  ]);
  t.match(problemsOf({ POLLCAST_HOST: '0.0.0.0' }), [
    /with an open door anybody there may vote; set POLLCAST_DOOR=devices/,
  ]);
  t.match(problemsOf({}, { mqttPort: 'x' }), [/^--mqtt-port/]);
  for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', '::1']) t.ok(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.evil.example', 'example.org']) t.notOk(isLoopback(host), host);
});

t.test('pollcast: exit codes and messages a person can use', async (t) => {
  const bad = await pollcast(['up', '--mqtt-port', 'x'], { POLLCAST_HOST: '0.0.0.0' });
  t.equal(bad.code, 2);
  t.match(bad.stderr, /2 problem\(s\)[\s\S]*--mqtt-port[\s\S]*POLLCAST_DOOR=devices/);
  t.equal((await pollcast(['up', '--nonsense'])).code, 2);
  t.equal((await pollcast(['nonsense'])).code, 2);
  const help = await pollcast(['up', '--help']);
  t.equal(help.code, 0);
  for (const { variable } of Object.values(settings)) t.match(help.stdout, variable);
  const badSim = await pollcast(['sim', '--devices', 'many']);
  t.equal(badSim.code, 2);
  const nowhere = await pollcast(['sim', '--http', 'http://127.0.0.1:9', '--mqtt', 'mqtt://127.0.0.1:9']);
  t.equal(nowhere.code, 1);
  t.match(nowhere.stderr, /does not answer/);

  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  const directory = t.testdir();
  const busy = await pollcast(['up', '--mqtt-port', String(port), '--http-port', '0', '--data-dir', directory]);
  t.equal(busy.code, 1);
  t.match(busy.stderr, `another program listens on 127.0.0.1:${port}`);
  taken.close();
});

t.test('pollcast up --demo, then pollcast sim: exact, and what is not exact exits 1', async (t) => {
  const server = await Server.on(t.testdir());
  t.teardown(() => server.kill());
  await server.start('--demo');
  t.match(server.output, `mosquitto_pub -h 127.0.0.1 -p ${server.mqttPort} -q 1 -t vote/demo -m a`);
  t.match(server.output, `http://127.0.0.1:${server.httpPort}/screen/room/main`);
  t.match(server.output, 'open: any client id may vote');
  const where = ['--mqtt', server.mqtt, '--http', server.http];
  const sim = await pollcast(
    ['sim', ...where, '--token', server.token, '--devices', '60', '--ramp', '1', '--qos', '1:8:1', '--votes', '2'],
    {},
    server.directory,
  );
  t.equal(sim.code, 0, sim.stdout + sim.stderr);
  t.match(sim.stdout, /EXACT: 60 devices[\s\S]*none lost, none twice/);
  const json = await pollcast(
    ['sim', ...where, '--devices', '20', '--ramp', '0', '--json', '--seed', '9'],
    {},
    server.directory,
  );
  t.equal(json.code, 0, 'without a token it compares tallies');
  t.match(JSON.parse(json.stdout), { passed: true, acknowledged: 20, verdict: { lost: 0, wrong: 0, doubled: 0 } });
  const unknown = await pollcast(['sim', ...where, '--poll', 'nothing'], {}, server.directory);
  t.equal(unknown.code, 1);
  t.match(unknown.stderr, /there is no poll/);
  const second = await pollcast(['up', '--data-dir', server.directory, '--mqtt-port', '0', '--http-port', '0']);
  t.equal(second.code, 1);
  t.match(second.stderr, /in use by another pollcast process/);
  t.equal(await server.stop(), 0);
});

t.test('the operator token is made once and readable by its owner only', async (t) => {
  const directory = t.testdir();
  const { start } = await import('../cli/up.ts');
  const config = { ...readConfig({ mqttPort: '0', httpPort: '0', dataDir: directory }, {}) };
  const first = await start('all', config, createLog('silent'));
  await first.stop();
  const second = await start('all', config, createLog('silent'));
  await second.stop();
  t.equal(first.token, second.token);
  t.equal(statSync(join(directory, 'operator-token')).mode & 0o077, 0);
});

t.test('lifecycle: in order, back in reverse, and back when one cannot start', async (t) => {
  const told: string[] = [];
  const service = (name: string, fails?: 'start' | 'stop') => ({
    name,
    start: async () => void (fails === 'start' ? reject(name) : told.push(`+${name}`)),
    stop: async () => void (fails === 'stop' ? reject(name) : told.push(`-${name}`)),
  });
  const reject = (name: string) => {
    throw new Error(name);
  };
  const log = createLog('silent');
  const good = new Lifecycle([service('a'), service('b')], log);
  await good.start();
  t.equal(await good.stop(), true);
  t.equal(await good.stop(), true, 'twice is once');
  t.same(told.splice(0), ['+a', '+b', '-b', '-a']);
  await t.rejects(new Lifecycle([service('a'), service('b', 'start'), service('c')], log).start(), /b/);
  t.same(told.splice(0), ['+a', '-b', '-a']);
  const bad = new Lifecycle([service('a'), service('b', 'stop')], log);
  await bad.start();
  t.equal(await bad.stop(), false);
  t.same(told, ['+a', '+b', '-a'], 'one that fails does not keep the others');
});

t.test('the ledger knows the right answer', async (t) => {
  const last = new Ledger('last');
  for (const choice of ['a', 'b', 'c']) last.sending('d', 1, choice);
  t.same(last.expected('d'), [null, 'a', 'b', 'c'], 'nothing acknowledged: anything may have arrived');
  last.acknowledged('d');
  last.acknowledged('d');
  t.same(last.expected('d'), ['b', 'c']);
  last.acknowledged('d');
  t.same(last.expected('d'), ['c']);
  t.throws(() => last.acknowledged('d'), /nothing was sent/);
  const first = new Ledger('first');
  for (const choice of ['a', 'b']) first.sending('d', 1, choice);
  first.acknowledged('d');
  t.same(first.expected('d'), ['a']);
  last.sending('q0', 0, 'a');
  last.acknowledged('q0');
  t.same(last.expected('q0'), [null, 'a'], 'QoS 0 is never certain');
  t.same([...last.tally()], [['c', 1]]);
});

t.test('the verdict finds what is lost, wrong and twice', async (t) => {
  const ledger = new Ledger('last');
  for (const device of ['sim-1', 'sim-2', 'sim-3']) {
    ledger.sending(device, 1, 'a');
    ledger.acknowledged(device);
  }
  const good: [string, string][] = [
    ['sim-1', 'a'],
    ['sim-2', 'a'],
    ['sim-3', 'a'],
    ['other', 'z'],
  ];
  t.ok(isExact(compareBallots(ledger, good, 'sim-')));
  t.match(compareBallots(ledger, good.slice(1), 'sim-'), {
    lost: 1,
    wrong: 0,
    doubled: 0,
    examples: [/sim-1: counted no ballot/],
  });
  t.match(compareBallots(ledger, [...good, ['sim-1', 'a']], 'sim-'), { doubled: 1 });
  t.match(compareBallots(ledger, [...good.slice(1), ['sim-1', 'b']], 'sim-'), { wrong: 1 });
  t.match(compareBallots(ledger, [...good, ['sim-9', 'a']], 'sim-'), { wrong: 1 }, 'a ballot nobody sent');
  const tally = (a: number) => new Map([['a', a]]);
  t.ok(isExact(compareTallies(ledger, tally(5), tally(8))));
  t.match(compareTallies(ledger, tally(5), tally(7)), { lost: 1 });
  t.match(compareTallies(ledger, tally(5), tally(9)), { wrong: 1 });
});

t.test('simulated choices are valid and the same for the same seed', async (t) => {
  const options = ['a', 'b', 'c'].map((key) => ({ key }));
  const poll = {
    poll: 'q',
    kind: 'multiple',
    status: 'open',
    round: 1,
    revote: 'last' as const,
    options,
    min: 2,
    max: 3,
  };
  const draw = (seed: number) => {
    const random = seeded(seed);
    return Array.from({ length: 50 }, () => randomChoice(poll, random));
  };
  t.same(draw(3), draw(3));
  t.not(draw(3).join(), draw(4).join());
  for (const choice of draw(5)) t.match(choice, /^(a,b|a,c|b,c|a,b,c)$/);
});
