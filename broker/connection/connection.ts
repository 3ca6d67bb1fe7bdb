import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { Client } from 'aedes';
import type { Guest } from '../../core/devices/guests/credential.ts';
import type { ClientCertificate } from '../../core/process/tls/trust.ts';
import type { LastLine } from '../../core/store/store.ts';
import type { Elector } from '../../core/voting/poll/electorate.ts';
import { withinOr } from '../../core/waiting/deadline.ts';
import type { PacketClass } from './flow/pace.ts';
import { Gate } from './gate.ts';
import type { GateOwner, GateParts } from './gate-owner.ts';
import { codeOfDeparture } from './mqtt5/codes.ts';
import type { Departure, Refusal } from './reasons.ts';
import type { Receiver } from './receiver.ts';
import type { Connect, Will } from './wire/connect.ts';

/** Maximum time in ms for which an ending connection waits for Aedes to take it in and for acknowledgements under way. */
const END_LIMIT_MS = 1_000;
/** Maximum time in ms that Aedes may take to clear up after a connection has closed. */
const CLEAR_LIMIT_MS = 2_000;

/** Where a connection comes from. */
export interface Origin {
  /** The client’s IP address, as the socket or a trusted proxy says; undefined if the client has already disconnected. */
  readonly address: string | undefined;
  /** By what limits per address count the client, see `networkOf`; undefined for a proxy, whose clients are not known. */
  readonly network?: string | undefined;
  /** The request of a WebSocket. */
  readonly request?: IncomingMessage;
  /** The client’s certificate, which has been checked; undefined if it has none. */
  readonly certificate?: ClientCertificate | undefined;
}

/** How a connection uses a session. */
export interface SessionUse {
  /** The connection’s number. */
  readonly connection: number;
  /** True if an older session is not to be continued. */
  readonly isFresh: boolean;
  /** How long in ms the session outlives the connection; undefined with MQTT 3.1.1, which cannot say so. */
  readonly expiryMs: number | undefined;
}

/** What a broker does with its connections. */
export interface House {
  /** CONNECT has come. */
  arrive(connection: Connection, connect: Connect): void;
  /** An admitted client needs Aedes. */
  attach(connection: Connection): void;
  /** Packets of a class have to wait because the client sends too many. */
  slowed(connection: Connection, of: PacketClass): void;
  /** The client has ended the connection, which is about to close. */
  closing(connection: Connection): void;
  /** The connection has closed. */
  depart(connection: Connection, error: Error | null): void;
  /** The connection has closed, and Aedes has cleared up after it. */
  gone(connection: Connection): void;
}

/** Everything the broker knows about one connection, from its first byte to its last. */
export class Connection implements GateOwner {
  readonly gate: Gate;
  /** See `Origin`. */
  readonly address: string | undefined;
  readonly network: string | undefined;
  readonly request: IncomingMessage | undefined;
  readonly certificate: ClientCertificate | undefined;
  /** Whether it counts among those whose CONNECT is being answered, or among the connections of admitted clients. */
  place: 'none' | 'arriving' | 'taken' = 'none';
  /** The client id that came with CONNECT, valid or not. */
  clientId: string | undefined;
  /** True if nothing is kept of the session once the connection has ended. */
  isClean = true;
  /** In seconds; see `Connect`. */
  keepAlive = 0;
  /** The will that came with CONNECT. */
  will: Will | undefined;
  /** The connection’s number, which is higher than that of every earlier connection; see `Claim`. */
  number: number | undefined;
  /** Who votes over this connection; undefined until the device is admitted. */
  elector: Elector | undefined;
  /** Aedes’s part of the connection, if the client needs Aedes. */
  client: Client | undefined;
  /** True once CONNECT has been accepted. */
  isReady = false;
  /** True once the device was admitted, and is about to hear so. */
  isAdmitted = false;
  /** Why the client is not let in. */
  refusal: Refusal | undefined;
  /** Why the connection ends; set by the part of the broker that ends it. */
  departure: Departure | undefined;
  /** The reason in words, for the log. */
  detail: string | undefined;
  /** Identifies the registration that admitted the device; undefined if the device is not registered. */
  registration: string | undefined;
  /** When the secret with which the device was admitted ends, in ms since 1970, because it has got another one; if it has. */
  secretUntilMs: number | undefined;
  /** The credentials with which a guest was admitted; undefined if the device is not a guest. */
  guest: Guest | undefined;
  /** True once the connection has been taken over, or its device removed. Nothing that arrives from then on is taken. */
  isEnding = false;
  /** True once the connection has closed, and Aedes has cleared up after it. */
  isGone = false;
  /** How the device’s last connection ended. */
  before: LastLine = 'unknown';
  /** Identifies this connection as the device’s last one, see `Presence`. */
  line: string | undefined;
  /** How the connection uses its session; undefined if nothing is kept of that. */
  session: SessionUse | undefined;
  /** True if the will waits when the connection ends. */
  hasDelayedWill = false;
  private readonly house: House;
  private topics: Set<string> | undefined;
  /** Resolves once Aedes has taken the client in. */
  private attaching: Promise<void> | undefined;
  private nowAttached: (() => void) | undefined;

  constructor(stream: Duplex, { address, network, request, certificate }: Origin, house: House, parts: GateParts) {
    this.address = address;
    this.network = network;
    this.request = request;
    this.certificate = certificate;
    this.house = house;
    this.gate = new Gate(stream, this, parts);
  }

  /** Topic filters the client was granted. */
  get granted(): Set<string> {
    this.topics ??= new Set();
    return this.topics;
  }

  get isClosed(): boolean {
    return this.gate.isClosed;
  }

  /** Notes why the connection ends, or why it is refused. The first reason counts. */
  because(departure: Departure, refusal?: Refusal, detail?: string): void {
    if (this.departure || this.refusal) return;
    this.departure = departure;
    this.refusal = refusal;
    this.detail = detail;
    const code = codeOfDeparture(departure);
    if (code !== undefined) this.gate.sayWhy(code, detail);
  }

  connect(connect: Connect): void {
    this.clientId = connect.clientId;
    this.isClean = connect.isClean;
    this.keepAlive = connect.keepAlive;
    this.will = connect.will;
    this.house.arrive(this, connect);
  }

  /** Call when the device is admitted. */
  enter(): void {
    this.isAdmitted = true;
    this.gate.enter(this.keepAlive);
  }

  /** Call when CONNECT has been answered. @param receiver takes what the device publishes */
  ready(receiver: Receiver): void {
    this.isReady = true;
    this.gate.accept(receiver, this.keepAlive);
  }

  needAedes(): void {
    // What has been taken over gets no answers any more.
    if (!this.isEnding) this.house.attach(this);
  }

  /** Call when Aedes begins to take the client in. */
  attach(): void {
    this.attaching = new Promise((resolve) => {
      this.nowAttached = resolve;
    });
  }

  /** Call when Aedes has added the connection to its clients. */
  registered(client: Client): void {
    this.client = client;
  }

  /** Call when Aedes has taken the client in. */
  attached(): void {
    this.nowAttached?.();
    this.gate.attached();
  }

  slowed(of: PacketClass): void {
    this.house.slowed(this, of);
  }

  closing(): void {
    this.house.closing(this);
  }

  closed(error: Error | null): void {
    this.nowAttached?.();
    this.house.depart(this, error);
    if (this.client) setTimeout(() => this.left(), CLEAR_LIMIT_MS).unref();
    else this.left();
  }

  /** Call when Aedes has removed the connection from its clients. */
  left(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.house.gone(this);
  }

  /** Takes nothing more from the device, acknowledges what was accepted before, and closes. @param stored see `Intake.drained` */
  end(stored: () => Promise<void>): void {
    if (this.isEnding) return;
    this.isEnding = true;
    if (this.gate.ending === undefined && !this.isClosed) this.because('takeover');
    if (this.isAdmitted) void this.finish(stored);
    else this.gate.destroy();
  }

  private async finish(stored: () => Promise<void>): Promise<void> {
    // A connection that Aedes is still setting up is closed only afterwards, or Aedes would leave its subscriptions behind.
    if (this.attaching) await withinOr(END_LIMIT_MS, this.attaching, undefined);
    await withinOr(END_LIMIT_MS, stored(), undefined);
    // The acknowledgements leave in this turn of the event loop.
    await turn();
    this.gate.destroy();
  }
}
