import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AuthenticateError, Client, ConnectPacket, PublishPacket, Subscription } from 'aedes';
import type { Device } from '../core/devices/device.ts';
import type { PollBook } from '../core/live/polls.ts';
import type { LiveResults } from '../core/live/results.ts';
import type { Log } from '../core/runtime/log.ts';
import { pause } from '../core/runtime/pause.ts';
import type { Collection, Store } from '../core/store/store.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { Announcer } from './announcer.ts';
import { Attendance } from './attendance.ts';
import { Closings } from './closings.ts';
import { CONNACK, type Door } from './door.ts';
import { Electors } from './electors.ts';
import { Flow } from './flow.ts';
import { Gate } from './gate.ts';
import { Intake } from './intake.ts';
import { type Admit, TcpListener, WebSocketListener } from './listeners.ts';
import type { BrokerMetrics } from './metrics.ts';
import { maySubscribe, mayWill, publication } from './permissions.ts';
import { sendReceipt } from './receipts.ts';
import { guardSessions, MAX_SUBSCRIPTIONS, type Sessions } from './sessions.ts';
import { Statuses } from './statuses.ts';
import { VoteBroker } from './vote-broker.ts';

/** PUBLISH packets under way in the whole broker; beyond that, connections wait. */
const MAX_IN_FLIGHT = 50_000;
/** A stranger must have sent CONNECT by then, ms. */
const CONNECT_LIMIT_MS = 5_000;
/** A device that does not read for this long is disconnected, ms. */
const DRAIN_LIMIT_MS = 10_000;
/** A device that was being let in while it was revoked is sent away after this, ms. */
const REVOKE_AGAIN_MS = 1_000;
/** A log that cannot store is told of this often, ms. */
const WARN_EVERY_MS = 1_000;
/** A device that cannot be let in because the store is away is let go after this, ms: not at once, or it is back at once. */
const LET_GO_AFTER_MS = 1_000;
/** How often gauges are read, ms. */
const MEASURE_EVERY_MS = 1_000;
/** How long clients may take to hang up when the broker stops, ms. */
const CLOSE_LIMIT_MS = 2_000;

export interface BrokerOptions {
  readonly host: string;
  /** 0: the system chooses; see `Broker.port`. */
  readonly mqttPort: number;
  readonly maxConnections: number;
}

export interface BrokerParts {
  readonly store: Store;
  readonly polls: PollBook;
  readonly results: LiveResults;
  readonly door: Door;
  /** Whether the door asks who devices are. */
  readonly doorKind: 'open' | 'devices';
  /** Opens the persistence of MQTT sessions and retained messages. */
  readonly sessions: () => Promise<Sessions>;
  readonly metrics: BrokerMetrics;
  readonly log: Log;
}

type Authenticated = (error: AuthenticateError | null, success: boolean | null) => void;

/** The MQTT side: lets devices in, takes their votes, tells them what happens. */
export class Broker {
  readonly name = 'broker';
  private readonly parts: BrokerParts;
  private readonly options: BrokerOptions;
  private readonly log: Log;
  private readonly flow = new Flow(MAX_IN_FLIGHT);
  private readonly gates = new Set<Gate>();
  private readonly orders = new WeakMap<Client, Acknowledgements>();
  private readonly connectionNumbers = new WeakMap<Client, number>();
  private readonly electors = new Electors();
  private readonly wills = new WeakMap<Client, string>();
  private readonly granted = new WeakMap<Client, Set<string>>();
  private readonly tcp = new TcpListener((connection) => this.admit(connection));
  private readonly webSocket = new WebSocketListener((connection, request) => this.admit(connection, request));
  private running: Running | undefined;
  private listeningOn = 0;
  private warnedAtMs = 0;

  constructor(parts: BrokerParts, options: BrokerOptions) {
    this.parts = parts;
    this.options = options;
    this.log = parts.log.child({ part: 'broker' });
    setInterval(() => this.measure(), MEASURE_EVERY_MS).unref();
  }

  /** The TCP port once started. */
  get port(): number {
    return this.listeningOn;
  }

  /** Connections open now. */
  get connections(): number {
    return this.gates.size;
  }

  async start(): Promise<void> {
    const { store, polls, results } = this.parts;
    const id = randomUUID();
    const attendance = new Attendance(id, polls, store.presence, this.parts.doorKind, this.log);
    const intake = new Intake(polls, store.log, id, attendance.lease, this.parts.metrics);
    const sessions = await this.parts.sessions();
    guardSessions(sessions.persistence);
    const aedes = await this.startAedes(sessions);
    const publish = (topic: string, payload: string, qos: 0 | 1) => publishRetained(aedes, topic, payload, qos);
    const announcer = new Announcer(
      polls,
      results,
      publish,
      this.log,
      () => attendance.isFirst,
      sessions.emitter !== undefined,
    );
    const closings = new Closings(
      attendance,
      polls,
      () => intake.drained(),
      (poll) => this.electors.present(poll),
      this.log,
    );
    const statuses = new Statuses(store.registry, this.log);
    const unwatch = store.registry.watch((collection, device) => void this.onWrite(collection, device));
    this.running = { aedes, intake, sessions, announcer, attendance, closings, statuses, unwatch };
    closings.start();
    await attendance.start();
    await statuses.start();
    announcer.start();
    this.listeningOn = await this.tcp.listen(this.options.mqttPort, this.options.host);
  }

  private measure(): void {
    this.parts.metrics.connections.set(this.gates.size);
    this.parts.metrics.inFlight.set(this.flow.inFlight);
  }

  /** Accepts nobody new, waits until what was accepted is on the log and acknowledged, then hangs up. */
  async stop(): Promise<void> {
    this.tcp.close();
    this.webSocket.close();
    if (!this.running) return;
    const { aedes, intake, sessions, announcer, attendance, closings, statuses, unwatch } = this.running;
    unwatch();
    await announcer.stop();
    await intake.drained();
    await Promise.race([new Promise<void>((done) => aedes.close(() => done())), pause(CLOSE_LIMIT_MS)]);
    for (const gate of this.gates) gate.destroy();
    await intake.drained();
    closings.stop();
    await attendance.stop().catch((error) => this.log.debug({ err: error }, 'could not sign off; the lease runs out'));
    await statuses.stop();
    await sessions.close();
    this.running = undefined;
  }

  /** Takes over an HTTP connection that asked for MQTT over WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.webSocket.upgrade(request, socket, head);
  }

  private readonly admit: Admit = (connection, request) => {
    if (!this.running || this.gates.size >= this.options.maxConnections) return false;
    const gate = new Gate(connection, this.flow);
    this.gates.add(gate);
    gate.once('close', () => this.gates.delete(gate));
    gate.once('error', (error) => this.log.debug({ err: error }, 'connection closed'));
    this.running.aedes.handle(gate, request);
    return true;
  };

  private async startAedes({ persistence, emitter }: Sessions): Promise<VoteBroker> {
    const aedes = new VoteBroker({
      persistence,
      ...(emitter ? { mq: emitter } : {}),
      connectTimeout: CONNECT_LIMIT_MS,
      drainTimeout: DRAIN_LIMIT_MS,
      preConnect: (client, packet, done) => this.preConnect(client, packet, done),
      authenticate: (client, user, password, done) => void this.authenticate(client, user, password, done),
      authorizePublish: (client, packet, done) => this.authorizePublish(client, packet, done),
      authorizeSubscribe: (client, subscription, done) => done(null, this.allowed(client, subscription)),
      // Once more on the way out: a session may hold filters from before a rule changed.
      authorizeForward: (client, packet) => (maySubscribe(packet.topic, client.id) ? packet : null),
    });
    aedes.on('clientReady', (client) => (client.conn as Gate).accept());
    aedes.on('unsubscribe', (topics, client) => {
      for (const topic of topics) this.granted.get(client)?.delete(topic);
    });
    aedes.on('clientError', (client, error) => this.log.debug({ device: client.id, err: error }, 'device cut off'));
    aedes.on('connectionError', (_client, error) => this.log.debug({ err: error }, 'connection refused'));
    (aedes as NodeJS.EventEmitter).on('error', (error) => this.log.error({ err: error }, 'aedes'));
    await aedes.listen();
    return aedes;
  }

  /** Notes the will: Aedes authorises it only when it is published, too late to refuse it. */
  private preConnect(client: Client, packet: ConnectPacket, done: (error: null, ok: boolean) => void): void {
    if (packet.will) this.wills.set(client, packet.will.topic);
    done(null, true);
  }

  private async authenticate(
    client: Client,
    user: string | undefined,
    password: Buffer | undefined,
    done: Authenticated,
  ) {
    const refuse = (code: number, why: string) => {
      this.log.debug({ client: client.id, why }, 'connection refused');
      done(Object.assign(new Error(why), { returnCode: code }) as AuthenticateError, false);
    };
    const will = this.wills.get(client);
    if (will !== undefined && !mayWill(will, client.id)) {
      return refuse(CONNACK.notAuthorized, 'a will may only be left on the device’s own status topic');
    }
    try {
      const admitted = await this.parts.door(client.id, user, password);
      if ('why' in admitted) return refuse(admitted.code, admitted.why);
      const number = await this.parts.store.log.nextConnection();
      if (number !== undefined) this.connectionNumbers.set(client, number);
      if (!this.electors.admit(client, admitted)) return;
      if (admitted.isRegistered) {
        const saw = () => this.running?.statuses.saw(admitted.device);
        saw();
        client.conn.once('close', saw);
      }
      done(null, true);
    } catch (error) {
      this.log.debug({ err: error }, 'the store could not be asked about a device');
      // No answer, as from a server that is away: to a refusal many clients do not come back.
      setTimeout(() => client.conn.destroy(), LET_GO_AFTER_MS).unref();
    }
  }

  private allowed(client: Client, subscription: Subscription): Subscription | null {
    const granted = this.granted.get(client) ?? new Set<string>();
    this.granted.set(client, granted);
    if (!maySubscribe(subscription.topic, client.id)) return null;
    if (granted.size >= MAX_SUBSCRIPTIONS && !granted.has(subscription.topic)) return null;
    granted.add(subscription.topic);
    return subscription;
  }

  /**
   * Where a vote is taken: Aedes sends PUBACK or PUBREC only after `done`, so nothing is acknowledged that is not on
   * the log. Runs for wills too, then with a client that is closed, or null after another broker's crash.
   */
  private authorizePublish(client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void): void {
    if (!client || !this.running) return done(new Error('no client'));
    // A will did not come through the gate: its connection is gone.
    const gate = client.closed ? undefined : (client.conn as Gate);
    gate?.begin();
    const settle = this.order(client).next((error) => {
      gate?.settle();
      done(error);
    });
    try {
      this.take(client, packet, settle);
    } catch (error) {
      this.log.error({ err: error, device: client.id }, 'a packet could not be dealt with');
      queueMicrotask(() => settle(error as Error));
    }
  }

  private take(client: Client, packet: PublishPacket, settle: (error?: Error) => void): void {
    const { intake, statuses } = this.running as Running;
    const { id: device } = client;
    const { dup, retain } = packet;
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    const publishing = publication(packet.topic, device);
    // Nothing is settled while the parser that called is still at work: the next read would run inside it.
    const later = (error?: Error) => queueMicrotask(() => settle(error));
    if (publishing.kind === 'forbidden') return later(new Error(`publishing to ${packet.topic} is not allowed`));
    if (publishing.kind === 'status') {
      if (!statuses.receive(device, payload)) this.log.debug({ device }, 'a status that is not a JSON object; ignored');
      return later();
    }
    const connection = this.connectionNumbers.get(client);
    const elector = this.electors.of(client);
    intake.receive({ device, elector, topic: publishing.topic, payload, dup, retain, connection }, (error, verdict) => {
      if (error) this.warn(error);
      settle(error);
      if (!error) sendReceipt(client, verdict);
    });
  }

  /** Tells of votes that could not be stored, not once per vote: there may be thousands a second. */
  private warn(error: Error): void {
    const nowMs = Date.now();
    if (nowMs - this.warnedAtMs < WARN_EVERY_MS) return;
    this.warnedAtMs = nowMs;
    this.log.warn({ err: error }, 'votes could not be stored; not acknowledged, devices will send them again');
  }

  private order(client: Client): Acknowledgements {
    let order = this.orders.get(client);
    if (!order) this.orders.set(client, (order = new Acknowledgements()));
    return order;
  }

  /** A device that was removed is sent away at once. */
  private async onWrite(collection: Collection, device: string): Promise<void> {
    if (collection !== 'devices' || !this.running) return;
    const client = this.running.aedes.client(device);
    if (!client) return;
    // Not known is not removed: a device is not sent away because the store is.
    const kept = await this.parts.store.registry.get<Device>('devices', device).catch(() => 'not known' as const);
    if (kept === 'not known') return;
    if (kept) return this.electors.update(client, kept.value);
    const sendAway = () => this.running?.aedes.client(device)?.close();
    sendAway();
    // Once more: it may have been let in a moment ago and be on its way to a place among the clients.
    setTimeout(sendAway, REVOKE_AGAIN_MS).unref();
  }
}

interface Running {
  readonly aedes: VoteBroker;
  readonly intake: Intake;
  readonly sessions: Sessions;
  readonly announcer: Announcer;
  readonly attendance: Attendance;
  readonly closings: Closings;
  readonly statuses: Statuses;
  readonly unwatch: () => void;
}

function publishRetained(aedes: VoteBroker, topic: string, payload: string, qos: 0 | 1): Promise<void> {
  return new Promise((resolve, reject) => {
    const packet: PublishPacket = {
      cmd: 'publish',
      topic,
      payload: Buffer.from(payload),
      qos,
      retain: true,
      dup: false,
    };
    aedes.publish(packet, (error?: Error) => (error ? reject(error) : resolve()));
  });
}
