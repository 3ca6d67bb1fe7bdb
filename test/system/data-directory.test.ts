import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isPassed } from '../../devices-sim/report.ts';
import { Simulation } from '../../devices-sim/simulation.ts';
import { eventually } from '../support/eventually.ts';
import { pollcast, Server } from '../support/process.ts';
import { pathInCheckout } from '../support/root.ts';

const DEVICES = 30;
const NO_PORTS = ['--mqtt-port', '0', '--http-port', '0'];

t.test('a second process is refused, whatever path it takes and whatever was deleted', async (t) => {
  const { server, directory } = await running(t);
  const link = join(directory, '..', 'l'.repeat(120));
  symlinkSync(directory, link);
  for (const name of readdirSync(directory)) if (!name.endsWith('.lmdb')) rmSync(join(directory, name));
  for (const path of [directory, link]) {
    const second = await pollcast(['up', ...NO_PORTS, '--data-dir', path], { POLLCAST_OPERATOR_TOKEN: server.token });
    t.equal(second.code, 1);
    t.match(second.stderr, /could not start: the data directory .* is in use by another pollcast process/);
  }
  await vote(t, server);
  t.equal(await server.stop(), 0);
});

t.test('when the data directory is removed, nothing more is acknowledged, and it is said everywhere', async (t) => {
  const { server, directory } = await running(t);
  await vote(t, server);
  renameSync(directory, `${directory}-away`);
  await said(server, /log\.lmdb in .* is gone .* votes are not acknowledged/);
  const answer = await fetch(`${server.http}/api/polls/demo/close`, { method: 'POST', headers: operator(server) });
  t.equal(answer.status, 503);
  t.match(await answer.json(), { detail: /log\.lmdb in .* is gone/ });
  renameSync(`${directory}-away`, directory);
  await said(server, /votes are stored again/);
  await vote(t, server);
});

t.test('a lost state is rebuilt from the log, and the count is the same', async (t) => {
  const { server, directory } = await running(t);
  await vote(t, server);
  const before = await result(server);
  await server.kill();
  rmSync(join(directory, 'state.lmdb'));
  const refused = await pollcast(['up', ...NO_PORTS, '--data-dir', directory]);
  t.equal(refused.code, 1);
  const command = /run "pollcast (repair --data-dir [^"]+)"/.exec(refused.stderr)?.[1] ?? '';
  const repaired = await pollcast(command.split(' '));
  t.match(repaired, { code: 0, stdout: /state\.lmdb was rebuilt .*\n .*1 polls/ });
  await server.start();
  await eventually('the votes to be counted again', async () => ((await result(server)) === before ? true : undefined));
  await vote(t, server);
});

t.test('a damaged log ends no process without a word, and what is readable is exported', async (t) => {
  const { server, directory } = await running(t);
  await vote(t, server);
  await server.kill();
  truncateSync(join(directory, 'log.lmdb'), 20_000);
  const refused = await pollcast(['up', ...NO_PORTS, '--data-dir', directory]);
  t.match(refused, { code: 1, stderr: /log\.lmdb is damaged: it is cut off[\s\S]*pollcast repair/ });
  const exported = await pollcast(['repair'], { POLLCAST_DATA_DIR: directory });
  t.match(exported, { code: 1, stdout: /log\.lmdb is damaged[\s\S]*exported to / });
  t.ok(readdirSync(directory).includes('log.jsonl.exported-1'));
});

t.test('a data directory that is not writable is named as such', { skip: process.getuid?.() !== 0 }, async (t) => {
  const directory = t.testdir({ data: {} });
  chmodSync(directory, 0o755);
  mkdirSync(join(directory, 'data'), { recursive: true });
  const cli = pathInCheckout('build/cli/pollcast.js');
  for (const path of [join(directory, 'data'), join(directory, 'data', 'below')]) {
    const child = spawn(process.execPath, [cli, 'up', ...NO_PORTS, '--data-dir', path], { uid: 65_534, gid: 65_534 });
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += chunk));
    const [code] = await once(child, 'close');
    t.equal(code, 1);
    t.match(stderr, /could not start: .*data.* cannot be .* the user with id 65534.* POLLCAST_DATA_DIR/);
    t.notMatch(stderr, /ports|privileges/);
  }
});

/** A server with the demo poll, and its data directory. */
async function running(t: Test): Promise<{ server: Server; directory: string }> {
  const directory = join(t.testdir(), 'data');
  const server = new Server(directory);
  t.teardown(() => server.kill());
  await server.start('--demo');
  return { server, directory };
}

async function vote(t: Test, server: Server): Promise<void> {
  const report = await new Simulation({
    mqttUrls: [server.mqtt],
    httpUrl: server.http,
    token: server.token,
    poll: 'demo',
    devices: DEVICES,
    votes: 2,
    rampMs: 200,
    burst: 0.3,
    qosMix: [0, 1, 0],
    payload: 'text',
    limitMs: 30_000,
    reconnectMs: 150,
    seed: 7,
  }).run();
  t.ok(isPassed(report), `${report.acknowledged} votes acknowledged, each counted once`);
}

/** Waits until the server's output contains a line. */
function said(server: Server, line: RegExp): Promise<true> {
  return eventually(`the line ${line}`, async () => (line.test(server.output) ? true : undefined));
}

/** The figures of the demo poll. */
async function result(server: Server): Promise<string> {
  const answer = await fetch(`${server.http}/api/polls/demo/result`, { headers: operator(server) });
  const { tally, accounting } = (await answer.json()) as { tally: unknown; accounting: unknown };
  return JSON.stringify({ tally, accounting });
}

function operator({ token }: Server): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}
