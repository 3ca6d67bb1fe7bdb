import type { Broker } from '../broker/broker.ts';
import type { Config } from '../core/config/config.ts';
import { Calculator } from '../core/live/calculator/calculator.ts';
import type { PollBook } from '../core/live/poll-book.ts';
import { LiveResults } from '../core/live/results.ts';
import { HttpServer, type Upgrades } from '../core/process/http.ts';
import { countCalculatorLosses } from '../core/process/metrics.ts';
import { operationsApp } from '../core/process/operations.ts';
import { prefixOf } from '../core/process/prefix.ts';
import { WebOrigins } from '../core/process/web-origins.ts';
import type { Log } from '../core/runtime/log.ts';
import { StoreAway } from '../core/store/error.ts';
import type { Store } from '../core/store/store.ts';
import { pause } from '../core/waiting/pause.ts';
import { openBroker } from './broker.ts';
import { type Dashboard, openDashboard } from './dashboard.ts';
import { type Foundation, openFoundation, ownAddress, type Role } from './foundation.ts';
import { openProcessor } from './processor.ts';
import { rehearseAt } from './rehearse.ts';

/** Pause in ms before a start is tried again. */
const START_RETRY_MS = 250;

/** A running process. */
export interface Pollcast {
  readonly role: Role;
  /** The operator token; empty in roles without a dashboard. */
  readonly token: string;
  /** The port for MQTT without TLS; 0 if there is none. */
  readonly mqttPort: number;
  /** The port for MQTT over TLS; 0 if there is none. */
  readonly mqttsPort: number;
  readonly httpPort: number;
  /** The port for monitoring; 0 if it has none of its own. */
  readonly opsPort: number;
  readonly store: Store;
  readonly polls: PollBook;
  /** Creates, opens and closes polls; absent in roles without a dashboard. */
  readonly dashboard: Dashboard | undefined;
  /** Stops everything in reverse order; resolves with false if something did not stop cleanly. */
  stop(): Promise<boolean>;
}

/**
 * Starts a role. While the store is away, tries again for `startWaitSeconds`.
 * @throws the first other error, after stopping whatever had already started
 *
 * @param halt called with the reason if the process can only stop, for example because another one uses its data
 */
export async function start(
  role: Role,
  config: Config,
  log: Log,
  halt: (why: string) => void = () => {},
): Promise<Pollcast> {
  const endMs = performance.now() + config.startWaitSeconds * 1_000;
  for (;;) {
    try {
      return await startOnce(role, config, log, halt);
    } catch (error) {
      if (!(error instanceof StoreAway) || performance.now() > endMs) throw error;
      log.warn({ err: error, waitSeconds: config.startWaitSeconds }, 'the store is away, so the start waits for it');
      await pause(START_RETRY_MS);
    }
  }
}

async function startOnce(role: Role, config: Config, log: Log, halt: (why: string) => void): Promise<Pollcast> {
  const foundation = await openFoundation(role, config, log, halt);
  const { scope, readiness, store, polls } = foundation;
  try {
    const opsPort = await openOps(foundation);
    const ports = await ROLES[role](foundation);
    // Added last, so it is closed first: what is being answered still needs everything else.
    scope.add('requests', async () => ports.dashboard?.drain());
    const stop = () => {
      readiness.drain();
      return scope.close();
    };
    return { role, token: '', mqttPort: 0, mqttsPort: 0, dashboard: undefined, ...ports, opsPort, store, polls, stop };
  } catch (error) {
    await scope.close();
    throw error;
  }
}

type Ports = Pick<Pollcast, 'httpPort'> & Partial<Pick<Pollcast, 'token' | 'mqttPort' | 'mqttsPort' | 'dashboard'>>;

const ROLES: Readonly<Record<Role, (foundation: Foundation) => Promise<Ports>>> = {
  async broker(foundation) {
    const results = await openResults(foundation);
    let broker: Broker | undefined;
    const { port: httpPort } = await openOperations(
      foundation,
      upgradesTo(() => broker),
    );
    broker = await openBroker(foundation, results);
    return { httpPort, ...portsOfBroker(broker) };
  },

  async processor(foundation) {
    await openProcessor(foundation);
    const { port: httpPort } = await openOperations(foundation);
    return { httpPort };
  },

  async dashboard(foundation) {
    return portsOf(await openDashboard(foundation, await openResults(foundation)));
  },

  async all(foundation) {
    const { config, tls } = foundation;
    const results = await openResults(foundation);
    // What follows opens later.
    let broker: Broker | undefined;
    let dashboard: Dashboard | undefined;
    await openProcessor(foundation, () => dashboard?.isWatched() ?? false);
    const own = ownAddress(config.host);
    const isPlain = config.mqttPort !== 'off';
    const rehearse = rehearseAt(() => ({
      mqttUrl: isPlain ? `mqtt://${own}:${broker?.port}` : `mqtts://${own}:${broker?.securePort}`,
      httpUrl: `${tls ? 'https' : 'http'}://${own}:${dashboard?.httpPort}`,
      token: dashboard?.token ?? '',
    }));
    // Simulated devices have no certificates.
    const isOpen = isPlain || !tls?.demandsClients;
    const beside = { rehearse: isOpen ? rehearse : undefined, upgrades: upgradesTo(() => broker) };
    dashboard = await openDashboard(foundation, results, beside);
    broker = await openBroker(foundation, results);
    return { ...portsOf(dashboard), ...portsOfBroker(broker) };
  },
};

function portsOf(dashboard: Dashboard): Ports {
  const { token, httpPort } = dashboard;
  return { token, httpPort, dashboard };
}

function portsOfBroker({ port, securePort }: Broker): Pick<Pollcast, 'mqttPort' | 'mqttsPort'> {
  return { mqttPort: port, mqttsPort: securePort };
}

function openResults({ scope, store, polls, metrics, log }: Foundation): Promise<LiveResults> {
  const calculator = new Calculator(log, countCalculatorLosses(metrics));
  scope.add('calculator', () => calculator.close());
  return scope.open('results', LiveResults.open(store, polls, log, calculator));
}

/** MQTT over WebSocket at `/mqtt`. The HTTP server opens first, so connections are refused until the broker is open. */
function upgradesTo(broker: () => Broker | undefined): Upgrades {
  return {
    '/mqtt': (request, socket, head) => {
      const open = broker();
      if (open) open.upgrade(request, socket, head);
      else socket.destroy();
    },
  };
}

/** Opens the HTTP server of a role without a dashboard, which serves only health and, unless they have a port, metrics. */
async function openOperations(foundation: Foundation, upgrades: Upgrades = {}): Promise<HttpServer> {
  const { scope, config, descriptors, sockets, tls } = foundation;
  const app = await operationsApp(foundation, { isPublic: config.opsPort !== undefined, tls });
  const address = { host: config.host, port: config.httpPort, prefix: prefixOf(config.publicUrl) };
  return scope.open(
    'http',
    HttpServer.open(app, { ...address, upgrades, descriptors, sockets, tls, webOrigins: new WebOrigins(config) }),
  );
}

/** Opens the port for monitoring, if it has one of its own. @returns the port; 0 if there is none */
async function openOps(foundation: Foundation): Promise<number> {
  const { scope, config, descriptors, sockets } = foundation;
  const { opsPort: port, opsHost, host } = config;
  if (port === undefined) return 0;
  const app = await operationsApp(foundation);
  const server = await scope.open(
    'monitoring',
    HttpServer.open(app, { host: opsHost || host, port, descriptors, sockets }),
  );
  return server.port;
}
