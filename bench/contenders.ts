import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Api } from '../devices-sim/api.ts';
import { Subject } from './subject.ts';

const TOKEN = 'operator-token-of-bench';
const [MQTT_PORT, HTTP_PORT, REDIS_PORT, COUNTER_PORT] = [21_883, 28_080, 26_379, 28_081];

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** A broker under the load, and whatever counts its votes. */
export interface Contender {
  readonly name: string;
  /** False: the programs it needs are not here. */
  readonly isHere: boolean;
  start(): Promise<Running>;
}

export interface Running {
  readonly port: number;
  /** Resident memory of all its processes, MiB. */
  readonly memory: number;
  /** Votes counted until now. */
  counted(): Promise<number>;
  /** Present where results are streamed. */
  readonly api?: Api;
  stop(): Promise<void>;
}

const isThere = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/** Pollcast in one process, on its embedded store. */
export const embedded: Contender = {
  name: 'Pollcast, one process',
  isHere: true,
  start: () => pollcast(async (flags) => [await node('up', '--demo', ...flags)]),
};

/** Pollcast as one broker, one processor and one dashboard over a Redis with an append-only file. */
export const overRedis: Contender = {
  name: 'Pollcast over Redis',
  isHere: isThere('redis-server'),
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

/** Aedes as it comes, in memory: it acknowledges; it stores, checks and counts nothing. */
export const bareAedes: Contender = {
  name: 'bare Aedes',
  isHere: true,
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
      counted: async () => Number.NaN,
      stop: () => subject.stop(),
    };
  },
};

/** Mosquitto, with a subscriber that counts: what one would build first. */
export const mosquitto: Contender = {
  name: 'mosquitto + counter',
  isHere: isThere('mosquitto'),
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
  const api = new Api(`http://127.0.0.1:${HTTP_PORT}`, TOKEN);
  return {
    port: MQTT_PORT,
    api,
    get memory() {
      return subjects.reduce((sum, { memory }) => sum + memory, 0);
    },
    counted: async () => (await api.result('demo')).votes,
    stop: async () => {
      await Promise.all(subjects.map((subject) => subject.stop()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function node(...args: string[]): Promise<Subject> {
  return Subject.start(process.execPath, [path('../cli/pollcast.js'), ...args], '"running"');
}
