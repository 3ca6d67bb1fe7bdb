import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { Networks } from '../core/process/networks.ts';
import { Scope } from '../core/process/scope.ts';
import { withinOr } from '../core/waiting/deadline.ts';
import { every } from '../core/waiting/pause.ts';
import { Admission } from './admission/admission.ts';
import { Arrivals } from './admission/arrivals.ts';
import { followCredentials } from './admission/credentials.ts';
import { Entrance } from './admission/entrance.ts';
import { Reception } from './admission/reception.ts';
import { openAedes } from './aedes.ts';
import { Connection, type Origin } from './connection/connection.ts';
import { Connections } from './connection/connections.ts';
import { Flow } from './connection/flow/flow.ts';
import { BROKER_RATES, connectionRates, SharedPace } from './connection/flow/pace.ts';
import { GateError } from './connection/gate-owner.ts';
import { Lines } from './connection/lines.ts';
import { DEVICE_PERMISSIONS } from './connection/permissions.ts';
import { GATE_LIMITS } from './connection/wire/limits.ts';
import { Handshakes } from './handshakes.ts';
import { DeviceStatuses } from './intake/device-statuses.ts';
import { Intake } from './intake/intake.ts';
import { Publishing } from './intake/publishing.ts';
import { Handover } from './lease/handover.ts';
import { BrokerLease } from './lease/lease.ts';
import { TcpListener, WebSocketListener } from './listeners.ts';
import type { BrokerOptions } from './options.ts';
import { Announcer } from './outbound/announcer.ts';
import type { BrokerParts } from './parts.ts';
import { Deliveries, deliverThrough } from './sessions/deliveries.ts';
import { SessionKeeper } from './sessions/keeper.ts';
import { guardSessions } from './sessions/sessions.ts';
import { DelayedWills } from './sessions/wills.ts';
import { Trail } from './watch/trail.ts';
import { Watch } from './watch/watch.ts';

/**
 * Maximum number of PUBLISH and PUBREL packets in flight in the whole broker. At the limit, the broker stops reading from connections
 * until half of the packets have been processed.
 */
const MAX_IN_FLIGHT = 50_000;
/** Interval in ms between updates of the gauges. */
const MEASURE_EVERY_MS = 1_000;
/** Interval in ms between checks which clients take too long. */
const CHECK_EVERY_MS = 250;
/** Why a connection without CONNECT makes room. */
const SCARCE = new GateError('descriptors are scarce');
/** Time limit in ms for clients to disconnect when the broker stops. */
const CLOSE_LIMIT_MS = 2_000;

interface Running {
  readonly scope: Scope;
  readonly connections: Connections;
  readonly tcp: TcpListener | undefined;
  readonly secure: TcpListener | undefined;
  readonly webSocket: WebSocketListener;
}

/** The MQTT broker: admits devices, accepts their votes, announces polls and results. */
export class Broker {
  private readonly running: Running;

  private constructor(running: Running) {
    this.running = running;
  }

  /** Opens the broker. The TCP listener opens last, so that everything is ready for the first vote. */
  static async open(parts: BrokerParts, options: BrokerOptions): Promise<Broker> {
    const log = parts.log.child({ part: 'broker' });
    const scope = new Scope(log);
    try {
      return new Broker(await run({ ...parts, log }, options, scope));
    } catch (error) {
      await scope.close();
      throw error;
    }
  }

  /** The port for MQTT without TLS; 0 if there is none. */
  get port(): number {
    return this.running.tcp?.port ?? 0;
  }

  /** The port for MQTT over TLS; 0 if there is none. */
  get securePort(): number {
    return this.running.secure?.port ?? 0;
  }

  /** The number of open connections. */
  get connections(): number {
    return this.running.connections.size;
  }

  /** Takes over an HTTP connection that requested an upgrade to MQTT over WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.running.webSocket.upgrade(request, socket, head);
  }

  /** Stops accepting connections, waits until accepted votes are stored and acknowledged, then disconnects all clients. */
  async close(): Promise<void> {
    if (!(await this.running.scope.close())) throw new Error('the broker did not stop cleanly');
  }
}

async function run(parts: BrokerParts, options: BrokerOptions, scope: Scope): Promise<Running> {
  const { store, polls, results, permissions = DEVICE_PERMISSIONS, metrics, descriptors, log } = parts;
  const id = randomUUID();
  const halt = new AbortController();
  const connections = new Connections();
  const flow = new Flow(MAX_IN_FLIGHT);
  const voteRate =
    options.votesPerSecond > 0 ? { burst: options.votesAtOnce, perSecond: options.votesPerSecond } : undefined;
  const sharedPace = new SharedPace(BROKER_RATES, voteRate && connectionRates(voteRate));
  const sessions = await scope.open('sessions', parts.sessions());
  guardSessions(sessions.persistence, permissions, (client, topic) => connections.isAsPublished(client, topic));
  const deliveries = new Deliveries(sessions.ledger, sessions.persistence, permissions);
  deliverThrough(deliveries, sessions.persistence);
  const keeper = SessionKeeper.open({ sessions, lifetimeMs: options.sessionSeconds * 1_000, log });
  scope.add('session keeper', () => keeper.close());
  const statuses = await scope.open('device statuses', DeviceStatuses.open(store.registry, log));
  const wills = DelayedWills.open({
    store: sessions.wills,
    presence: store.presence,
    broker: id,
    publish: (device, payload) => publishing.status(device, payload),
    log,
  });
  scope.add('wills', () => wills.close());
  const lines: Lines = await scope.open(
    'lines',
    Lines.open({
      broker: id,
      registered: store.lines,
      presence: store.presence,
      stored: () => intake.drained(),
      log,
    }),
  );
  const lease: BrokerLease = await scope.open(
    'lease',
    BrokerLease.open({
      id,
      polls,
      presence: store.presence,
      door: parts.doorKind,
      rejoin: () => lines.rejoin(),
      log,
    }),
  );
  lines
    .sweep()
    .catch((error) => log.debug({ err: error }, 'could not forget connections of brokers that have stopped'));
  const intake: Intake = new Intake({
    polls,
    log: store.log,
    ballots: store.ballots,
    missingKeys: parts.missingKeys,
    producer: id,
    lease: lease.lease,
    metrics,
  });
  const handover = Handover.open({
    lease,
    polls,
    drained: () => intake.drained(),
    present: (definition) => connections.present(definition),
    log,
  });
  scope.add('handover', async () => handover.close());

  const trail = await scope.open('device trails', Promise.resolve(Trail.open({ trails: store.trails, polls, log })));
  const watch = new Watch({ metrics, trail, log });
  const arrivals = new Arrivals(options.connectsPerSecond, () =>
    watch.refused(undefined, 'rate', 'too many new connections from one address'),
  );
  const entrance = new Entrance({
    arrivals,
    most: options.maxConnections,
    mostOfAddress: options.maxConnectionsPerAddress,
    hasRegistered: parts.doorKind === 'devices',
    connectsPerSecond: options.connectsPerSecond,
    pace: sharedPace,
    isConnected: (device) => lines.of(device).some(({ isAdmitted, isClosed }) => isAdmitted && !isClosed),
    slowed: (connection) => watch.slowed(connection, 'connect'),
  });
  const admission = new Admission({
    store,
    door: parts.door,
    entrance,
    guests: parts.guests,
    connections,
    lines,
    statuses,
    sessions: keeper,
    permissions,
    wills,
    watch,
    log,
  });
  const aedes = await openAedes({ sessions, deliveries, admission, connections, log });
  const publishing: Publishing = new Publishing({
    intake,
    statuses,
    permissions,
    watch,
    voteRate,
    deliver: (packet, done) => aedes.publish(packet, done),
    log,
  });
  const reception = new Reception({
    admission,
    entrance,
    aedes,
    publishing,
    connections,
    lines,
    watch,
    halt: halt.signal,
  });
  scope.add('aedes', async () => {
    await intake.drained();
    // The last acknowledgements leave in this turn of the event loop.
    await turn();
    connections.stopping();
    connections.destroyAll();
    await withinOr(CLOSE_LIMIT_MS, new Promise<void>((done) => aedes.close(() => done())), undefined);
    await intake.drained();
    intake.close();
  });
  const announcer = Announcer.open({
    polls,
    results,
    publish: (topic, payload, qos) => aedes.retain(topic, payload, qos),
    isSpokesman: () => lease.isSpokesman,
    isShared: sessions.emitter !== undefined,
    log,
  });
  scope.add('announcer', () => announcer.close());
  const { guests } = parts;
  const unwatch = followCredentials(admission, { registry: store.registry, guests, signal: halt.signal });
  every(MEASURE_EVERY_MS, halt.signal, () => {
    metrics.connections.set(connections.size);
    metrics.strangers.set(entrance.strangers.size);
    metrics.inFlight.set(flow.inFlight);
  });

  every(CHECK_EVERY_MS, halt.signal, () => connections.check());

  const mqtt5 = { maxExpirySeconds: options.sessionSeconds, givesReasons: options.mqttReasons === 'on' };
  const limits = { ...GATE_LIMITS, keepAliveSeconds: options.maxKeepAliveSeconds };
  const gates = { flow, limits, pace: sharedPace, mqtt5 };
  const admit = (stream: Duplex, origin: Origin): boolean => {
    if (halt.signal.aborted) return false;
    if (descriptors.areScarce) descriptors.refused('mqtt');
    if (descriptors.areScarce && !entrance.strangers.sendOldest(SCARCE)) {
      watch.refused(undefined, 'full', SCARCE.message);
      return false;
    }
    const connection = new Connection(stream, origin, reception, gates);
    connections.add(connection);
    entrance.strangers.add(connection);
    return true;
  };
  const { tls } = parts;
  const onRefused = (why: string) => watch.refused(undefined, 'tls', why);
  const trusted = new Networks(options.trustedProxies);
  const pingMs = options.webSocketPingSeconds * 1_000;
  const onBadCertificate = () => onRefused('the certificate of a WebSocket is not good');
  const webSocket = new WebSocketListener(admit, { pingMs, trusted, arrivals, tls, onBadCertificate });
  const unfollow = tls?.onReload(() => {
    for (const connection of connections.withBadCertificate((one) => tls.isGood(one))) {
      connection.because('certificate');
      lines.end(connection);
    }
  });
  scope.add('listeners', async () => {
    halt.abort();
    unwatch();
    unfollow?.();
    webSocket.close();
  });
  const { host, proxyProtocolFrom: proxies } = options;
  const listen = async (port: number, handshakes?: Handshakes) => {
    const listener = await TcpListener.open(admit, { port, host, proxies, trusted, descriptors, arrivals, handshakes });
    scope.add('TCP listener', async () => listener.close());
    return listener;
  };
  const handshakes = tls && new Handshakes(tls, onRefused);
  if (handshakes) scope.add('TLS handshakes', async () => handshakes.close());
  const secure = handshakes && (await listen(options.mqttsPort, handshakes));
  const tcp = options.mqttPort === 'off' ? undefined : await listen(options.mqttPort);
  return { scope, connections, tcp, secure, webSocket };
}
