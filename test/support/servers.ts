import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { eventually } from './eventually.ts';
import { onOwnPorts } from './ports.ts';
import './reaper.ts';

const START_LIMIT_MS = 20_000;

/** A server program that a test can kill, freeze and start again. */
export class Program {
  readonly command: string;
  readonly args: readonly string[];
  private readonly isUp: () => Promise<boolean>;
  private readonly env: Record<string, string>;
  private child: ChildProcess | undefined;
  output = '';

  /** @param isUp called after each start until it resolves with `true` */
  constructor(
    command: string,
    args: readonly string[],
    isUp: () => Promise<boolean>,
    env: Record<string, string> = {},
  ) {
    this.env = env;
    this.command = command;
    this.args = args;
    this.isUp = isUp;
  }

  async start(): Promise<void> {
    const child = spawn(this.command, [...this.args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.env },
    });
    this.child = child;
    this.output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => (this.output = (this.output + chunk).slice(-20_000)));
    }
    const closed = once(child, 'close');
    const endMs = Date.now() + START_LIMIT_MS;
    while (!(await this.isUp().catch(() => false))) {
      // Wait until the program's streams are closed, so that the error contains its last output.
      if (child.exitCode !== null) await closed;
      if (child.exitCode !== null || Date.now() > endMs) throw new Error(`${this.command}: ${this.output}`);
      await sleep(30);
    }
  }

  /** Sends a signal, such as SIGSTOP or SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  /** Ends the program with a signal; safe to call twice. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }
}

/** A redis-server with an append-only file on a free loopback port. */
export interface RedisServer {
  readonly program: Program;
  readonly port: number;
  readonly url: string;
}

export function redisServer(directory: string, more: readonly string[] = []): Promise<RedisServer> {
  return onOwnPorts(1, (port) => redisOn(port, directory, more));
}

async function redisOn(port: number, directory: string, more: readonly string[]): Promise<RedisServer> {
  mkdirSync(directory, { recursive: true });
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'yes'];
  const program = new Program('redis-server', [...args, ...more], () => answersPing(port));
  await program.start();
  return { program, port, url: `redis://127.0.0.1:${port}` };
}

/** Starts a Redis Cluster of three primaries on the loopback interface. */
export async function redisCluster(
  directory: string,
): Promise<{ url: string; nodes: RedisServer[]; end(): Promise<void> }> {
  const nodes = await Promise.all(
    [0, 1, 2].map((i) =>
      onOwnPorts(2, (port, bus) =>
        redisOn(port, join(directory, String(i)), ['--cluster-enabled', 'yes', '--cluster-port', String(bus)]),
      ),
    ),
  );
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const create = spawn('redis-cli', ['--cluster', 'create', ...hosts, '--cluster-yes'], { stdio: 'ignore' });
  const [code] = await once(create, 'close');
  if (code !== 0) throw new Error(`redis-cli --cluster create ended with ${code}`);
  await Promise.all(nodes.map(({ port }) => clusterIsFormed(port)));
  return {
    url: `redis-cluster://${hosts.join(',')}`,
    nodes,
    end: async () => {
      await Promise.all(nodes.map(({ program }) => program.end()));
    },
  };
}

/** A Redis primary with a replica, watched by three sentinels, on the loopback interface. */
export interface SentinelSetup {
  /** The URL in the form that `POLLCAST_REDIS_URL` expects. */
  readonly url: string;
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  readonly sentinels: readonly RedisServer[];
  end(): Promise<void>;
}

/** @param more further lines for the configuration of each sentinel */
export async function redisSentinels(directory: string, more: readonly string[] = []): Promise<SentinelSetup> {
  const primary = await redisServer(join(directory, 'primary'));
  const replica = await redisServer(join(directory, 'replica'), ['--replicaof', '127.0.0.1', String(primary.port)]);
  const sentinels = await Promise.all(
    [0, 1, 2].map((i) =>
      onOwnPorts(1, (port) => sentinelOn(port, join(directory, `sentinel-${i}`), primary.port, more)),
    ),
  );
  const endMs = Date.now() + START_LIMIT_MS;
  const password = /^requirepass (.*)$/m.exec(more.join('\n'))?.[1];
  const ask = async ({ port }: RedisServer) =>
    (await tellAs(password, port, 'SENTINEL', 'MASTER', 'votes')) as string[];
  const isReady = async (sentinel: RedisServer) => {
    const facts = await ask(sentinel);
    const fact = (name: string) => Number(facts[facts.indexOf(name) + 1]);
    return fact('num-slaves') === 1 && fact('num-other-sentinels') === 2;
  };
  const isFollowing = async () =>
    String(await tellAs(undefined, replica.port, 'INFO', 'replication')).includes('master_link_status:up');
  while (!(await isFollowing()) || !(await Promise.all(sentinels.map(isReady))).every((isIt) => isIt)) {
    if (Date.now() > endMs) throw new Error('the sentinels did not find each other, or the replica its primary');
    await sleep(50);
  }
  return {
    url: `redis-sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/votes`,
    ...{ primary, replica, sentinels },
    end: async () => {
      await Promise.all([...sentinels, primary, replica].map(({ program }) => program.end()));
    },
  };
}

async function sentinelOn(
  port: number,
  directory: string,
  primary: number,
  more: readonly string[],
): Promise<RedisServer> {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'sentinel.conf');
  const lines = [
    ...[`port ${port}`, 'bind 127.0.0.1', `dir ${directory}`],
    ...[`sentinel monitor votes 127.0.0.1 ${primary} 2`, 'sentinel down-after-milliseconds votes 1000'],
    ...['sentinel failover-timeout votes 10000', ...more],
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const password = /^requirepass (.*)$/m.exec(more.join('\n'))?.[1];
  const isUp = async () => (await tellAs(password, port, 'PING')) === 'PONG';
  const program = new Program('redis-server', [file, '--sentinel'], isUp);
  await program.start();
  return { program, port, url: `redis://127.0.0.1:${port}` };
}

/** Resolves once a server answers as a primary. A sentinel ends all connections of the replica that it promotes. */
export function promoted({ port }: RedisServer): Promise<true> {
  return eventually('the promotion', async () => {
    const role = await tell(port, 'INFO', 'replication').catch(String);
    return String(role).includes('role:master') ? true : undefined;
  });
}

/** Sends one command to a Redis server and disconnects. */
export function tell(port: number, ...command: [string, ...string[]]): Promise<unknown> {
  return tellAs(undefined, port, ...command);
}

/** Like `tell`, signed in with a password. */
async function tellAs(password: string | undefined, port: number, ...command: [string, ...string[]]): Promise<unknown> {
  const client = new Redis({
    ...(password === undefined ? {} : { password }),
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return await client.call(...command);
  } finally {
    client.disconnect();
  }
}

async function answersPing(port: number): Promise<boolean> {
  return (await tell(port, 'PING')) === 'PONG';
}

async function clusterIsFormed(port: number): Promise<void> {
  const endMs = Date.now() + START_LIMIT_MS;
  while (!String(await tell(port, 'CLUSTER', 'INFO')).includes('cluster_state:ok')) {
    if (Date.now() > endMs) throw new Error('the Redis Cluster did not form');
    await sleep(50);
  }
}

/** An InfluxDB 1.x on a free loopback port. */
export interface InfluxServer {
  readonly program: Program;
  readonly port: number;
  /** The URL in the form that `POLLCAST_INFLUX_URL` expects. */
  readonly url: string;
  /** Runs a query; resolves with the rows of all series. A row contains the tags of its series and its values by column. */
  query(text: string): Promise<Record<string, unknown>[]>;
}

/** @param admin if given, the database demands users, and this is the first one */
export function influxServer(directory: string, admin?: InfluxUser): Promise<InfluxServer> {
  return onOwnPorts(2, (port, backupPort) => influxOn(port, backupPort, directory, admin));
}

interface InfluxUser {
  readonly user: string;
  readonly password: string;
}

async function influxOn(
  port: number,
  backupPort: number,
  directory: string,
  admin: InfluxUser | undefined,
): Promise<InfluxServer> {
  mkdirSync(directory, { recursive: true });
  const env = {
    INFLUXDB_REPORTING_DISABLED: 'true',
    INFLUXDB_BIND_ADDRESS: `127.0.0.1:${backupPort}`,
    INFLUXDB_META_DIR: join(directory, 'meta'),
    INFLUXDB_DATA_DIR: join(directory, 'data'),
    INFLUXDB_DATA_WAL_DIR: join(directory, 'wal'),
    INFLUXDB_DATA_QUERY_LOG_ENABLED: 'false',
    INFLUXDB_MONITOR_STORE_ENABLED: 'false',
    INFLUXDB_HTTP_BIND_ADDRESS: `127.0.0.1:${port}`,
    INFLUXDB_HTTP_AUTH_ENABLED: admin ? 'true' : 'false',
    INFLUXDB_HTTP_LOG_ENABLED: 'false',
    INFLUXDB_LOGGING_LEVEL: 'error',
  };
  const isUp = async () => (await fetch(`http://127.0.0.1:${port}/ping`)).status === 204;
  const program = new Program('influxd', ['run', '-config', '/dev/null'], isUp, env);
  await program.start();
  const { user = '', password = '' } = admin ?? {};
  const login = admin ? `&u=${encodeURIComponent(user)}&p=${encodeURIComponent(password)}` : '';
  const query = async (text: string) => {
    const url = `http://127.0.0.1:${port}/query?db=pollcast&epoch=ms${login}&q=${encodeURIComponent(text)}`;
    const answer = (await (await fetch(url, { method: 'POST' })).json()) as InfluxAnswer;
    const failure = answer.error ?? answer.results?.find(({ error }) => error)?.error;
    if (failure) throw new Error(`${failure}: ${text}`);
    return (answer.results ?? []).flatMap(({ series = [] }) =>
      series.flatMap(({ tags = {}, columns, values }) =>
        values.map((row) => ({ ...tags, ...Object.fromEntries(columns.map((column, i) => [column, row[i]])) })),
      ),
    );
  };
  if (admin) await query(`CREATE USER ${user} WITH PASSWORD '${password}' WITH ALL PRIVILEGES`);
  const sign = admin ? `${encodeURIComponent(user)}:${encodeURIComponent(password)}@` : '';
  return { program, port, url: `http://${sign}127.0.0.1:${port}/pollcast`, query };
}

interface InfluxAnswer {
  readonly error?: string;
  readonly results?: readonly {
    readonly error?: string;
    readonly series?: readonly {
      readonly tags?: Record<string, string>;
      readonly columns: readonly string[];
      readonly values: readonly unknown[][];
    }[];
  }[];
}
