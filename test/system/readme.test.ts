/** Every command in README.md works as it stands there, apart from ports, folders and the number of simulated devices. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { eventually } from '../support/eventually.ts';
import { onOwnPorts } from '../support/ports.ts';
import { pathInCheckout } from '../support/root.ts';
import { influxServer, redisServer } from '../support/servers.ts';

t.setTimeout(300_000);

const TOKEN = 'operator-token-of-tests';
/** Ends the processes of a command if this test is killed; see scripts/testing/parent.mjs. */
const NODE_OPTIONS = `--import=${pathToFileURL(pathInCheckout('scripts/testing/parent.mjs'))}`;
const blocks = [...readFileSync(pathInCheckout('README.md'), 'utf8').matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(
  ([, language = '', text = '']) => ({ language, text }),
);
const scripts: object = JSON.parse(readFileSync(pathInCheckout('package.json'), 'utf8')).scripts;

/** A command that runs in a shell in the checkout, with its children. */
class Command {
  readonly child: ChildProcess;
  output = '';
  private readonly closed: Promise<unknown[]>;

  constructor(t: Test, text: string, env: Record<string, string>) {
    const kept = Object.entries(process.env).filter(([name]) => !/^(POLLCAST_|TAP|npm_)/.test(name));
    this.child = spawn('sh', ['-c', text], {
      cwd: pathInCheckout(''),
      env: { ...Object.fromEntries(kept), NODE_OPTIONS, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.child.stdout, this.child.stderr]) stream?.on('data', (data) => (this.output += data));
    this.closed = once(this.child, 'close');
    t.teardown(() => this.stop());
  }

  /** Resolves with the exit code. */
  async done(): Promise<number | null> {
    return (await this.closed)[0] as number | null;
  }

  /** Resolves once the output contains `part`. */
  async prints(part: string | RegExp): Promise<void> {
    await eventually(String(part), async () => {
      if (this.output.match(part)) return true;
      if (this.child.exitCode !== null) throw new Error(`ended without ${part}: ${this.output}`);
      return undefined;
    });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.pid) process.kill(-this.child.pid, 'SIGTERM');
    await this.closed;
  }
}

t.test('starting, voting, operating and simulating', async (t) => {
  const directory = t.testdir();
  const { mqtt, http, start } = await onOwnPorts(2, async (mqtt, http) => {
    const env = { POLLCAST_MQTT_PORT: `${mqtt}`, POLLCAST_HTTP_PORT: `${http}`, POLLCAST_DATA_DIR: directory };
    const start = new Command(t, commandLine(/^npm start$/), { ...env, POLLCAST_OPERATOR_TOKEN: TOKEN });
    await start.prints(/Operator .*token/);
    return { mqtt, http, start };
  });
  const env = { POLLCAST_API: `http://127.0.0.1:${http}`, POLLCAST_OPERATOR_TOKEN: TOKEN };
  const headers = { authorization: `Bearer ${TOKEN}` };
  const here = (text: string) => text.replaceAll('1883', `${mqtt}`).replaceAll('8080', `${http}`);
  const succeeds = async (text: string) => {
    const command = new Command(t, text, env);
    t.equal(await command.done(), 0, `${text}: ${command.output}`);
  };

  const sim = commandLine(/^npm run sim /).replace('1000', '50');
  await succeeds(`${sim} --ramp 1 --mqtt mqtt://127.0.0.1:${mqtt}`);

  const banner = blocks.find(({ text }) => text.includes('Operator    token'))?.text ?? '';
  for (const line of banner.trimEnd().split('\n')) {
    // A token that was given is not printed.
    const printed = here(line).replace('token …', 'the token in POLLCAST_OPERATOR_TOKEN');
    t.ok(start.output.includes(printed), `npm start prints ${line.trim()}`);
  }
  await succeeds(here(banner).match(/mosquitto_pub .*/)?.[0] ?? 'false');
  const counted = await eventually('the vote', async () => {
    const answer = await fetch(`${env.POLLCAST_API}/api/polls/demo/result`, { headers });
    const { votes } = (await answer.json()) as { votes: number };
    return votes > 50 ? votes : undefined;
  });
  t.equal(counted, 51);

  let watching: Command | undefined;
  for (const line of linesOf(/npm run pollcast/)) {
    if (!line.includes(' watch ')) {
      await succeeds(line);
      continue;
    }
    watching = new Command(t, line, env);
    await watching.prints(/lunch round 1 open/);
  }
  t.equal(await watching?.done(), 0, 'poll watch ends with the poll');

  const html = blocks.find(({ language }) => language === 'html')?.text ?? '';
  const path = /src="https:\/\/[^/]+([^"]+)"/.exec(html)?.[1];
  const script = await fetch(`${env.POLLCAST_API}${path}`);
  t.match([script.status, script.headers.get('content-type')], [200, /javascript/], `${path}`);
});

t.test('separate processes on one Redis', async (t) => {
  const directory = t.testdir();
  for (const name of ['redis', 'influx', 'data']) mkdirSync(join(directory, name));
  const redis = await redisServer(join(directory, 'redis'));
  t.teardown(() => redis.program.end());
  const influx = await influxServer(join(directory, 'influx'));
  t.teardown(() => influx.program.end());
  const [exports = '', ...commands] = linesOf(/^export POLLCAST_REDIS_URL|^node scripts\/pollcast/);
  const settings = exports.replace('6379', `${redis.port}`).replace('8086', `${influx.port}`);
  t.equal(commands.length, 3);
  await onOwnPorts(4, async (mqtt, ...https) => {
    for (const [i, command] of commands.entries()) {
      const env = {
        POLLCAST_MQTT_PORT: `${mqtt}`,
        POLLCAST_HTTP_PORT: `${https[i]}`,
        POLLCAST_DATA_DIR: join(directory, 'data'),
        POLLCAST_OPERATOR_TOKEN: TOKEN,
      };
      const text = command.replace(/#.*/, '').replace(/--http-port \d+/, `--http-port ${https[i]}`);
      await new Command(t, `${settings}; ${text}`, env).prints(/running/);
      const { status } = await fetch(`http://127.0.0.1:${https[i]}/ready`);
      t.equal(status, 200, text);
    }
  });
});

t.test('there is no other block of code, and the other commands exist', async (t) => {
  for (const { language, text } of blocks) {
    if (language === '') continue;
    if (language === 'html') continue;
    t.equal(language, 'sh', text);
    for (const line of text.trimEnd().split('\n')) {
      if (/^(npm start$|npm run (pollcast|sim) |export POLLCAST_|node scripts\/pollcast)/.test(line)) continue;
      const [, name = 'nothing'] = /^npm (?:run )?([\w:]+)/.exec(line) ?? [];
      t.hasProp(scripts, name, line);
    }
  }
});

function linesOf(pattern: RegExp): string[] {
  return blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.trimEnd().split('\n'))
    .filter((line) => pattern.test(line));
}

function commandLine(pattern: RegExp): string {
  const [line] = linesOf(pattern);
  if (line === undefined) throw new Error(`README.md has no command ${pattern}`);
  return line;
}
