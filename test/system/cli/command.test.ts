import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { ConfigError, readConfig } from '../../../core/config/config.ts';
import { environmentSettings, flagOf } from '../../../core/config/settings.ts';
import { Scope } from '../../../core/process/scope.ts';
import { isLoopback } from '../../../core/runtime/host.ts';
import { createLog } from '../../../core/runtime/log.ts';
import { compareBallots, compareTallies, isExact } from '../../../devices-sim/comparison.ts';
import { randomChoice } from '../../../devices-sim/kinds.ts';
import { Ledger } from '../../../devices-sim/ledger.ts';
import { seeded } from '../../../devices-sim/random.ts';
import { define } from '../../support/kind.ts';
import { pollcast, Server } from '../../support/process.ts';
import { pathInCheckout } from '../../support/root.ts';

const problemsOf = (environment: Record<string, string>, flags = {}): readonly string[] => {
  try {
    readConfig(flags, environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
};

t.test('configuration: flags override variables, and variables override defaults', async (t) => {
  t.match(readConfig({}, {}), {
    host: '127.0.0.1',
    mqttPort: 1883,
    httpPort: 8080,
    dataDir: 'data',
    door: 'open',
    partitions: 4,
  });
  t.equal(readConfig({}, { POLLCAST_MQTT_PORT: '2883' }).mqttPort, 2883);
  t.equal(
    readConfig({ mqttPort: '3883' }, { POLLCAST_MQTT_PORT: '2883' }).mqttPort,
    3883,
    'a flag overrides its variable',
  );
  t.equal(flagOf(environmentSettings.operatorToken.variable), '--operator-token');
  t.equal(
    readConfig({}, { POLLCAST_HOST: '0.0.0.0', POLLCAST_DOOR: 'open' }).door,
    'open',
    'the open door can be chosen explicitly',
  );
  t.equal(readConfig({}, { POLLCAST_HOST: '0.0.0.0', POLLCAST_DOOR: 'devices' }).door, 'devices');
});

t.test('configuration: the README lists every setting with its default', async (t) => {
  const readme = readFileSync(pathInCheckout('README.md'), 'utf8');
  for (const { variable, fallback } of Object.values(environmentSettings)) {
    const row = readme.split('\n').find((line) => line.startsWith(`| \`${variable}\``));
    t.ok(row && (fallback === '' || row.includes(`\`${fallback}\``)), `${variable}: ${row}`);
  }
});

t.test('configuration: all problems are reported together, and each message says what is expected', async (t) => {
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
    /with an open door anyone on the network can vote; set POLLCAST_DOOR=devices/,
  ]);
  t.match(problemsOf({}, { mqttPort: 'x' }), [/^--mqtt-port/]);
  for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', '::1']) t.ok(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.evil.example', 'example.org']) t.notOk(isLoopback(host), host);
});

t.test('pollcast: errors have an exit code and a helpful message', async (t) => {
  const bad = await pollcast(['up', '--mqtt-port', 'x'], { POLLCAST_HOST: '0.0.0.0' });
  t.equal(bad.code, 2);
  t.match(bad.stderr, /configuration errors:[\s\S]*--mqtt-port[\s\S]*POLLCAST_DOOR=devices/);
  t.equal((await pollcast(['up', '--nonsense'])).code, 2);
  t.equal((await pollcast(['nonsense'])).code, 2);
  const help = await pollcast(['up', '--help']);
  t.equal(help.code, 0);
  for (const { variable } of Object.values(environmentSettings)) t.match(help.stdout, variable);
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
  t.match(busy.stderr, `another program is already listening on 127.0.0.1:${port}`);
  taken.close();
});

t.test('pollcast sim confirms that pollcast up --demo counts exactly, and both exit with 1 on errors', async (t) => {
  const server = new Server(t.testdir());
  t.teardown(() => server.kill());
  await server.start('--demo');
  t.match(server.output, `mosquitto_pub -h 127.0.0.1 -p ${server.mqttPort} -i clicker-1 -q 1 -t vote/demo -m a`);
  t.match(server.output, `http://127.0.0.1:${server.httpPort}/screen/room/main`);
  t.match(server.output, 'open: any client may vote without credentials');
  const where = ['--mqtt', server.mqtt, '--http', server.http];
  const sim = await pollcast(
    ['sim', ...where, '--token', server.token, '--devices', '60', '--ramp', '1', '--qos', '1:8:1', '--votes', '2'],
    {},
    server.directory,
  );
  t.equal(sim.code, 0, sim.stdout + sim.stderr);
  t.match(sim.stdout, /EXACT: 60 devices[\s\S]*none lost, none counted twice/);
  const json = await pollcast(
    ['sim', ...where, '--devices', '20', '--ramp', '0', '--json', '--seed', '9'],
    {},
    server.directory,
  );
  t.equal(json.code, 0, 'without an operator token, the simulator compares tallies');
  t.match(JSON.parse(json.stdout), { passed: true, acknowledged: 20, verdict: { lost: 0, wrong: 0, doubled: 0 } });
  const unknown = await pollcast(['sim', ...where, '--poll', 'nothing'], {}, server.directory);
  t.equal(unknown.code, 1);
  t.match(unknown.stderr, /there is no poll/);
  const second = await pollcast(['up', '--data-dir', server.directory, '--mqtt-port', '0', '--http-port', '0']);
  t.equal(second.code, 1);
  t.match(second.stderr, /in use by another pollcast process/);
  t.equal(await server.stop(), 0);
});

t.test('the operator token is generated once and readable by its owner only', async (t) => {
  const directory = t.testdir();
  const { start } = await import('../../../app/pollcast.ts');
  const config = { ...readConfig({ mqttPort: '0', httpPort: '0', dataDir: directory }, {}) };
  const first = await start('all', config, createLog('silent'));
  await first.stop();
  const second = await start('all', config, createLog('silent'));
  await second.stop();
  t.equal(first.token, second.token);
  t.equal(statSync(join(directory, 'operator-token')).mode & 0o077, 0);
});

t.test('a scope closes its resources in reverse order, even if one of them fails to open or to close', async (t) => {
  const seen: string[] = [];
  const open = async (name: string, fails?: 'open' | 'close') => {
    if (fails === 'open') throw new Error(name);
    seen.push(`+${name}`);
    return {
      close: async () => {
        if (fails === 'close') throw new Error(name);
        seen.push(`-${name}`);
      },
    };
  };
  const log = createLog('silent');
  const good = new Scope(log);
  await good.open('a', open('a'));
  await good.open('b', open('b'));
  t.equal(await good.close(), true);
  t.equal(await good.close(), true, 'closing twice is harmless');
  t.same(seen.splice(0), ['+a', '+b', '-b', '-a']);
  const failing = new Scope(log);
  await failing.open('a', open('a'));
  await t.rejects(failing.open('b', open('b', 'open')), /b/);
  t.same(seen.splice(0), ['+a', '-a']);
  const bad = new Scope(log);
  await bad.open('a', open('a'));
  await bad.open('b', open('b', 'close'));
  t.equal(await bad.close(), false);
  t.same(seen, ['+a', '+b', '-a'], 'the other resources are closed although one fails to close');
});

t.test('the ledger lists the ballots that may be counted for each device', async (t) => {
  const last = new Ledger('last');
  for (const choice of ['a', 'b', 'c']) last.sending('d', 1, choice);
  t.same(last.expected('d'), [null, 'a', 'b', 'c'], 'if no vote has been acknowledged, any of them may have arrived');
  last.acknowledged('d');
  last.acknowledged('d');
  t.same(last.expected('d'), ['b', 'c']);
  last.acknowledged('d');
  t.same(last.expected('d'), ['c']);
  t.throws(() => last.acknowledged('d'), /acknowledgement without a vote/);
  const first = new Ledger('first');
  for (const choice of ['a', 'b']) first.sending('d', 1, choice);
  first.acknowledged('d');
  t.same(first.expected('d'), ['a']);
  last.sending('q0', 0, 'a');
  last.acknowledged('q0');
  t.same(last.expected('q0'), [null, 'a'], 'a vote at QoS 0 may always be lost');
  t.same([...last.tally()], [['c', 1]]);
});

t.test('the verdict finds ballots that are lost, wrong or counted twice', async (t) => {
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
  t.match(
    compareBallots(ledger, [...good, ['sim-9', 'a']], 'sim-'),
    { wrong: 1 },
    'a ballot that no device sent is wrong',
  );
  const tally = (a: number) => new Map([['a', a]]);
  t.ok(isExact(compareTallies(ledger, tally(5), tally(8))));
  t.match(compareTallies(ledger, tally(5), tally(7)), { lost: 1 });
  t.match(compareTallies(ledger, tally(5), tally(9)), { wrong: 1 });
});

t.test('simulated choices are valid, and the same seed gives the same choices', async (t) => {
  const poll = define('multiple', ['a', 'b', 'c'], { min: 2, max: 3 });
  const draw = (seed: number) => {
    const random = seeded(seed);
    return Array.from({ length: 50 }, () => randomChoice(poll, random));
  };
  t.same(draw(3), draw(3));
  t.not(draw(3).join(), draw(4).join());
  for (const choice of draw(5)) t.match(choice, /^(a,b|a,c|b,c|a,b,c)$/);
});
