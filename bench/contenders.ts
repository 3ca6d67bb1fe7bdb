import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApiClient } from '../client/api.ts';
import { Subject } from './subject.ts';

const TOKEN = 'operator-token-of-bench';
const [MQTT_PORT, HTTP_PORT, REDIS_PORT, COUNTER_PORT] = [21_883, 28_080, 26_379, 28_081];

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** A broker to be measured under load, together with the programs that count its votes. */
export interface Contender {
  readonly name: string;
  /** False if programs that it needs are not installed. */
  readonly isInstalled: boolean;
  /** The version of MQTT in which it is measured; 3.1.1 by default. */
  readonly version?: 5;
  start(): Promise<Running>;
}

export interface Running {
  readonly port: number;
  /** Resident memory of all its processes (MiB). */
  readonly memory: number;
  /** CPU time of all its processes (ms). */
  readonly cpuMs: number;
  /** Votes counted so far. */
  counted(): Promise<number>;
  /** Present if the contender streams results. */
  readonly api?: ApiClient;
  stop(): Promise<void>;
}

const isInstalled = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/** Pollcast in one process, with its embedded store. */
export const embedded: Contender = {
  name: 'Pollcast, one process',
  isInstalled: true,
  start: () => pollcast(async (flags) => [await node('up', '--demo', ...flags)]),
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

/** The same, measured in MQTT 5. */
export const embedded5: Contender = { ...embedded, name: 'Pollcast, one process, MQTT 5', version: 5 };

/** Pollcast as one broker, one processor and one dashboard, with a Redis that writes an append-only file. */
export const overRedis: Contender = {
  name: 'Pollcast over Redis',
  isInstalled: isInstalled('redis-server'),
  start: () =>
    pollcast(async (flags, directory) => {
      const args = ['--port', String(REDIS_PORT), '--bind', '127.0.0.1', '--dir', directory, '--save', ''];
      const redis = await Subject.start('redis-server', [...args, '--appendonly', 'yes'], 'Ready to accept');
      const all = [...flags, '--redis-url', `redis://127.0.0.1:${REDIS_PORT}`];
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
    const subject = await Subject.start(
      process.execPath,
      [path('./bare-aedes.child.js'), String(MQTT_PORT)],
      'running',
    );
    return {
      port: MQTT_PORT,
      get memory() {
        return subject.memory;
      },
      get cpuMs() {
        return subject.cpuMs;
      },
      counted: async () => Number.NaN,
      stop: () => subject.stop(),
    };
  },
};

/** Mosquitto with a subscriber that counts: the obvious first design. */
export const mosquitto: Contender = {
  name: 'mosquitto + counter',
  isInstalled: isInstalled('mosquitto'),
  start: async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pollcast-bench-'));
    const file = join(directory, 'mosquitto.conf');
    writeFileSync(file, `listener ${MQTT_PORT} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n`);
    const broker = await Subject.start('mosquitto', ['-c', file], 'running');
    const counter = await Subject.start(
      process.execPath,
      [path('./counter.child.js'), String(MQTT_PORT), String(COUNTER_PORT)],
      'running',
    );
    return {
      port: MQTT_PORT,
      get memory() {
        return broker.memory + counter.memory;
      },
      get cpuMs() {
        return broker.cpuMs + counter.cpuMs;
      },
      counted: async () => Number(await (await fetch(`http://127.0.0.1:${COUNTER_PORT}`)).text()),
      stop: async () => {
        await Promise.all([broker.stop(), counter.stop()]);
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
};

async function pollcast(start: (flags: string[], directory: string) => Promise<Subject[]>): Promise<Running> {
  const directory = mkdtempSync(join(tmpdir(), 'pollcast-bench-'));
  const flags = ['--mqtt-port', MQTT_PORT, '--http-port', HTTP_PORT, '--operator-token', TOKEN].map(String);
  const subjects = await start([...flags, '--data-dir', directory], directory);
  const api = new ApiClient({ base: `http://127.0.0.1:${HTTP_PORT}`, token: TOKEN });
  return {
    port: MQTT_PORT,
    api,
    get memory() {
      return subjects.reduce((sum, { memory }) => sum + memory, 0);
    },
    get cpuMs() {
      return subjects.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
    },
    counted: async () => (await api.result('demo')).votes ?? 0,
    stop: async () => {
      await Promise.all(subjects.map((subject) => subject.stop()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function node(...args: string[]): Promise<Subject> {
  return Subject.start(process.execPath, [path('../cli/pollcast.js'), ...args], '"running"');
}
