import { Broker } from '../broker/broker.ts';
import { devicesDoor, openDoor } from '../broker/door.ts';
import { brokerMetrics } from '../broker/metrics.ts';
import { GuestBook } from '../core/devices/guest.ts';
import { PollBook } from '../core/live/polls.ts';
import { LiveResults } from '../core/live/results.ts';
import type { Config } from '../core/runtime/config.ts';
import { HttpServer, type Upgrade } from '../core/runtime/http.ts';
import { Lifecycle, type Service } from '../core/runtime/lifecycle.ts';
import type { Log } from '../core/runtime/log.ts';
import { createMetrics } from '../core/runtime/metrics.ts';
import { operationsApp } from '../core/runtime/operations.ts';
import { Readiness } from '../core/runtime/readiness.ts';
import type { Store } from '../core/store/store.ts';
import { createApp } from '../dashboards/app.ts';
import { Clock } from '../dashboards/clock.ts';
import { dashboardMetrics } from '../dashboards/metrics.ts';
import { Operators } from '../dashboards/operator.ts';
import { Recounts } from '../dashboards/recounts.ts';
import { Rehearsals } from '../dashboards/rehearsals.ts';
import { Rounds } from '../dashboards/rounds.ts';
import { Hub } from '../dashboards/sse/hub.ts';
import { Counter } from '../processors/counter.ts';
import { Fleet } from '../processors/fleet.ts';
import { Leases } from '../processors/leases.ts';
import { processorMetrics } from '../processors/metrics.ts';
import { SeriesWriter } from '../processors/series-writer.ts';
import { Trimmer } from '../processors/trimmer.ts';
import { rehearseAt } from './rehearse.ts';
import { createStores } from './stores.ts';

/** What a process does: one of the three parts, or everything. */
export type Role = 'broker' | 'processor' | 'dashboard' | 'all';

/** A process, running. */
export interface Pollcast {
  readonly role: Role;
  /** The operator token; empty where no operator can sign in. */
  readonly token: string;
  /** 0 where no devices are let in. */
  readonly mqttPort: number;
  readonly httpPort: number;
  readonly store: Store;
  readonly polls: PollBook;
  readonly rounds: Rounds;
  /** Stops all in reverse order; false when something did not stop cleanly. */
  stop(): Promise<boolean>;
}

/** Builds and starts the parts of a role. */
export async function start(role: Role, config: Config, log: Log): Promise<Pollcast> {
  const does = (part: Role) => role === 'all' || role === part;
  const { store, series, sessions, token: madeToken } = createStores(config, log);
  const registry = () => store.registry;
  const metrics = createMetrics(role);
  const readiness = new Readiness(store, metrics);
  const polls = new PollBook(registry, log);
  const results = new LiveResults(store, polls, log);
  const guests = new GuestBook(registry);
  const rounds = new Rounds(store, polls, log);
  let token = config.operatorToken;
  let broker: Broker | undefined;

  const services: Service[] = [
    { name: 'store', start: () => store.start(), stop: () => store.stop() },
    readiness,
    polls,
  ];
  if (series) services.push({ name: 'series', start: () => series.start(), stop: () => series.stop() });
  if (does('broker') || does('dashboard')) services.push(results);
  if (does('processor')) {
    const figures = processorMetrics(metrics);
    const leases = new Leases(store, log, figures);
    const { partitions } = leases;
    const trimmer = new Trimmer({ store, polls, partitions, log }, config.retentionDays);
    services.push(leases, new Counter(store, log, partitions, figures), trimmer);
    if (series) {
      services.push(new SeriesWriter({ store, polls, series, partitions, log }, figures));
      services.push(new Fleet({ store, series, partitions, log }));
    }
  }
  if (does('broker')) {
    const door = config.door === 'open' ? openDoor : devicesDoor(registry, guests);
    const parts = { store, polls, results, door, doorKind: config.door, sessions, log };
    broker = new Broker({ ...parts, metrics: brokerMetrics(metrics) }, config);
  }
  const recounts = new Recounts(store, results, polls, log);
  // Devices of a rehearsal come to this process's own broker.
  const rehearse = rehearseAt(() => ({
    mqttUrl: `mqtt://${loopback(config.host)}:${broker?.port}`,
    httpUrl: `http://${loopback(config.host)}:${server.port}`,
    token,
  }));
  const rehearsals = new Rehearsals(guests, broker && rehearse);
  if (does('dashboard')) services.push(rounds, new Clock(polls, rounds, log), recounts);
  const app = async () => {
    if (!does('dashboard')) return operationsApp({ metrics, readiness });
    token ||= await madeToken();
    const hub = new Hub(polls, results, config.maxViewers, dashboardMetrics(metrics));
    const operators = new Operators(token);
    const { publicUrl, door } = config;
    return createApp(
      {
        ...{ store, series, polls, results, rounds, hub, operators, guests, rehearsals, recounts },
        ...{ publicUrl, door, metrics, readiness, log },
      },
      config,
    );
  };
  const upgrades: Record<string, Upgrade> = broker ? { '/mqtt': broker.upgrade.bind(broker) } : {};
  const server = new HttpServer(app, { host: config.host, port: config.httpPort, upgrades });
  services.push(server);
  if (does('dashboard')) services.push(rehearsals);
  // Last, so that it stops first: devices hang up, and MQTT over WebSocket would keep the HTTP server open.
  if (broker) services.push(broker);

  const lifecycle = new Lifecycle(services, log);
  await lifecycle.start();
  const stop = () => {
    readiness.drain();
    return lifecycle.stop();
  };
  return { role, token, mqttPort: broker?.port ?? 0, httpPort: server.port, store, polls, rounds, stop };
}

/** Where this process reaches itself: an address that stands for all of them is none to connect to. */
function loopback(host: string): string {
  return host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
}
