import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import mqtt from 'mqtt';
import { ApiClient } from '../client/api.ts';
import { temporaryFolder } from './processes/leaving.ts';
import { freePort } from './processes/ports.ts';
import { Subject } from './subject.ts';

const TOKEN = 'operator-token-of-bench';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** A broker to be measured under load, together with the programs that count its votes. */
export interface Contender {
  readonly name: string;
  /** False if a program that it needs is not installed. */
  readonly isInstalled: boolean;
  /** The Debian package with the program that it needs besides Node.js. */
  readonly packageName?: string;
  /** The version of MQTT in which it is measured; 3.1.1 by default. */
  readonly version?: 5;
  /** @param more flags for Pollcast */
  start(more?: readonly string[]): Promise<Running>;
}

export interface Running {
  readonly port: number;
  /** Resident memory of all its processes (MiB). */
  readonly memory: number;
  /** CPU time that all its processes have used so far (ms), as the operating system counts it. */
  readonly cpuMs: number;
  /** The end of what its processes have printed. */
  readonly output: string;
  /** Votes counted so far, in all polls; NaN if it counts nothing. */
  counted(): Promise<number>;
  /** Present if the contender is Pollcast. */
  readonly api?: ApiClient;
  stop(): Promise<void>;
}

/** Pollcast in one process, with its embedded store. */
export const embedded: Contender = {
  name: 'Pollcast, one process',
  isInstalled: true,
  start: (more = []) => pollcast(async (flags) => [await node('up', '--demo', ...flags, ...more)]),
};

/** The same, with registered devices, whose secrets are checked. @param source a data directory in which they are registered */
export function pollcastWithDevices(source: string): Contender {
  return {
    ...embedded,
    start: () =>
      pollcast(async (flags, directory) => {
        cpSync(source, directory, { recursive: true });
        return [await node('up', '--demo', '--door', 'devices', ...flags)];
      }),
  };
}

/** Pollcast in one process, measured in MQTT 5. */
export const embedded5: Contender = { ...embedded, name: 'Pollcast, one process, MQTT 5', version: 5 };

/**
 * Pollcast as one broker, one processor and one dashboard, with a Redis that has written a vote to its append-only file, but not
 * synced it, when the vote is acknowledged (`POLLCAST_DURABILITY=append`, `appendfsync everysec`).
 */
export const overRedis: Contender = {
  name: 'Pollcast over Redis',
  isInstalled: programPath('redis-server') !== undefined,
  packageName: 'redis-server',
  start: (more = []) =>
    pollcast(async (flags, directory) => {
      const port = await freePort();
      const redis = await redisServer(port, directory);
      const all = [...flags, ...more, '--redis-url', `redis://127.0.0.1:${port}`, '--durability', 'append'];
      const other = [...all, '--http-port', '0'];
      const [broker, processor] = await Promise.all([node('broker', ...other), node('processor', ...other)]);
      return [redis, broker, processor, await node('dashboard', '--demo', ...all)];
    }),
};

/** Unmodified Aedes, in memory: it acknowledges votes but does not store, check or count them. */
export const bareAedes: Contender = {
  name: 'bare Aedes',
  isInstalled: true,
  start: async () => {
    const port = await freePort();
    const aedes = await Subject.start(
      process.execPath,
      [path('./baselines/bare-aedes.child.js'), `${port}`],
      'running',
    );
    return running(port, [aedes]);
  },
};

/** Mosquitto without subscribers: it acknowledges votes and forgets them. */
export const mosquitto: Contender = {
  name: 'mosquitto',
  isInstalled: programPath('mosquitto') !== undefined,
  packageName: 'mosquitto',
  start: async () => {
    const port = await freePort();
    return running(port, [await mosquittoOn(port)]);
  },
};

/** Mosquitto with a subscriber that counts: the obvious first design. */
export const mosquittoAndCounter: Contender = {
  ...mosquitto,
  name: 'mosquitto + counter',
  start: async () => {
    const [port, countPort] = [await freePort(), await freePort()];
    const broker = await mosquittoOn(port);
    const args = [path('./baselines/counter.child.js'), String(port), String(countPort)];
    const counter = await Subject.start(process.execPath, args, 'running');
    const counted = async () => Number(await (await fetch(`http://127.0.0.1:${countPort}`)).text());
    return running(port, [broker, counter], { counted });
  },
};

/** NATS with JetStream in files, through its MQTT listener: it writes votes to files, does not sync them, and counts nothing. */
export const nats: Contender = {
  name: 'NATS JetStream',
  isInstalled: programPath('nats-server') !== undefined,
  packageName: 'nats-server',
  start: async () => {
    const folder = temporaryFolder();
    const [port, clientPort] = [await freePort(), await freePort()];
    const file = join(folder.path, 'nats.conf');
    const mqttPart = `mqtt { listen: "127.0.0.1:${port}" }`;
    writeFileSync(
      file,
      `server_name: bench\nlisten: "127.0.0.1:${clientPort}"\njetstream { store_dir: "${folder.path}" }\n${mqttPart}\n`,
    );
    const server = await Subject.start(programPath('nats-server') ?? '', ['-c', file], 'Server is ready');
    // JetStream keeps only what somebody has subscribed to: without this session, votes are acknowledged and dropped.
    const keeper = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { clientId: 'keeper', clean: false });
    await keeper.subscribeAsync('vote/#', { qos: 1 });
    await keeper.endAsync();
    return running(port, [server], { remove: folder.remove });
  },
};

/** A Redis with an append-only file that is synced every second. */
export function redisServer(port: number, directory: string): Promise<Subject> {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'yes'];
  return Subject.start(programPath('redis-server') ?? '', [...args, '--appendfsync', 'everysec'], 'Ready to accept');
}

/** Where a program is; also in the folders for servers, which are not in every user’s PATH. */
function programPath(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

async function mosquittoOn(port: number): Promise<Subject> {
  const folder = temporaryFolder();
  const file = join(folder.path, 'mosquitto.conf');
  const settings = ['allow_anonymous true', 'max_queued_messages 0', 'set_tcp_nodelay true'];
  writeFileSync(file, [`listener ${port} 127.0.0.1`, ...settings, ''].join('\n'));
  try {
    return await Subject.start(programPath('mosquitto') ?? '', ['-c', file], 'running');
  } finally {
    folder.remove();
  }
}

async function pollcast(start: (flags: string[], directory: string) => Promise<Subject[]>): Promise<Running> {
  const { path: directory, remove } = temporaryFolder();
  const [port, httpPort] = [await freePort(), await freePort()];
  // Few connections send as fast as they can, which no device does, and all have the same address here.
  const unlimited = ['--votes-per-second', 0, '--connects-per-second', 0, '--requests-per-second', 1_000_000];
  const ports = ['--mqtt-port', port, '--http-port', httpPort];
  const flags = [...ports, '--operator-token', TOKEN, ...unlimited].map(String);
  const subjects = await start([...flags, '--data-dir', directory], directory);
  const api = new ApiClient({ base: `http://127.0.0.1:${httpPort}`, token: TOKEN });
  const counted = async () => {
    const polls = (await api.polls()).filter(({ openedAt }) => openedAt !== null);
    const results = await Promise.all(polls.map(({ poll }) => api.result(poll)));
    return results.reduce((sum, { accounting }) => sum + (accounting?.counted ?? 0) + (accounting?.replaced ?? 0), 0);
  };
  return running(port, subjects, { counted, api, remove });
}

interface Extras {
  readonly counted?: () => Promise<number>;
  readonly api?: ApiClient;
  readonly remove?: () => void;
}

function running(port: number, subjects: readonly Subject[], { counted, api, remove }: Extras = {}): Running {
  return {
    port,
    ...(api ? { api } : {}),
    get output() {
      return subjects.map(({ output }) => output).join('\n');
    },
    get memory() {
      return subjects.reduce((sum, { memory }) => sum + memory, 0);
    },
    get cpuMs() {
      return subjects.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
    },
    counted: counted ?? (async () => Number.NaN),
    stop: async () => {
      await Promise.all(subjects.map((subject) => subject.stop()));
      remove?.();
    },
  };
}

function node(...args: string[]): Promise<Subject> {
  return Subject.start(process.execPath, [path('../cli/pollcast.js'), ...args], '"running"');
}
