import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Broker } from '../broker/broker.ts';
import { devicesDoor, openDoor } from '../broker/door.ts';
import { GuestBook } from '../core/devices/guest.ts';
import { PollBook } from '../core/live/polls.ts';
import { LiveResults } from '../core/live/results.ts';
import type { Config } from '../core/runtime/config.ts';
import { Lifecycle } from '../core/runtime/lifecycle.ts';
import type { Log } from '../core/runtime/log.ts';
import { openSessions } from '../core/store/embedded/sessions.ts';
import { EmbeddedStore } from '../core/store/embedded/store.ts';
import { Operators } from '../dashboards/operator.ts';
import { Rounds } from '../dashboards/rounds.ts';
import { DashboardServer } from '../dashboards/server.ts';
import { Hub } from '../dashboards/sse/hub.ts';
import { Counter } from '../processors/counter.ts';

/** The file in the data directory that holds the operator token when none is configured. */
export const TOKEN_FILE = 'operator-token';

/** Everything in one process, running. */
export interface Pollcast {
  readonly token: string;
  readonly mqttPort: number;
  readonly httpPort: number;
  readonly store: EmbeddedStore;
  readonly polls: PollBook;
  readonly rounds: Rounds;
  /** Stops all in reverse order; false when something did not stop cleanly. */
  stop(): Promise<boolean>;
}

/** Builds and starts broker, counter and dashboards on the embedded store. */
export async function startAll(config: Config, log: Log): Promise<Pollcast> {
  const directory = resolve(config.dataDir);
  const store = new EmbeddedStore({ directory, partitions: config.partitions });
  const registry = () => store.registry;
  const polls = new PollBook(registry, log);
  const results = new LiveResults(store, polls, log);
  const guests = new GuestBook(registry);
  const door = config.door === 'open' ? openDoor : devicesDoor(registry, guests);
  const sessions = () => openSessions(directory);
  const counter = new Counter(store, log, () =>
    Array.from({ length: store.log.partitions }, (_, partition) => partition),
  );
  const broker = new Broker({ store, polls, results, door, sessions, log }, config);
  const rounds = new Rounds(store, polls, log);
  const hub = new Hub(polls, results, config.maxViewers);
  const token = config.operatorToken || (await keptToken(directory));
  const server = new DashboardServer(
    { store, polls, results, rounds, hub, operators: new Operators(token), guests, log },
    { host: config.host, port: config.httpPort, upgrades: { '/mqtt': broker.upgrade.bind(broker) } },
  );
  const services = [
    { name: 'store', start: () => store.start(), stop: () => store.stop() },
    polls,
    results,
    counter,
    rounds,
    server,
    // Last, so that it stops first: devices hang up, and MQTT over WebSocket would keep the HTTP server open.
    broker,
  ];
  const lifecycle = new Lifecycle(services, log);
  await lifecycle.start();
  const { port: mqttPort } = broker;
  return { token, mqttPort, httpPort: server.port, store, polls, rounds, stop: () => lifecycle.stop() };
}

/** The token of this data directory; made at the first start, readable by its owner only. */
async function keptToken(directory: string): Promise<string> {
  const file = join(directory, TOKEN_FILE);
  await mkdir(directory, { recursive: true });
  try {
    await writeFile(file, `${randomBytes(18).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return (await readFile(file, 'utf8')).trim();
}
