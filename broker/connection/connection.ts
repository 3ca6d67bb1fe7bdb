import { setImmediate as turn } from 'node:timers/promises';
import type { LastLine } from '../../core/store/store.ts';
import type { Elector } from '../../core/voting/poll/electorate.ts';
import { withinOr } from '../../core/waiting/deadline.ts';
import type { Gate } from './gate.ts';
import { codeOfDeparture } from './mqtt5/codes.ts';
import type { Departure, Refusal } from './reasons.ts';
import type { Receiver } from './receiver.ts';

/** Maximum time in ms for which an ending connection waits for its CONNACK and for acknowledgements under way. */
const END_LIMIT_MS = 1_000;
/** Maximum time in ms that Aedes may take to clear up after a connection has closed. */
const CLEAR_LIMIT_MS = 2_000;

/** Everything the broker knows about one connection, from its first byte to its last. */
export class Connection {
  readonly gate: Gate;
  /** The client’s IP address; see `Origin`. */
  readonly address: string | undefined;
  /** Topic filters the client was granted. */
  readonly granted = new Set<string>();
  /** The topic of the will that came with CONNECT. */
  will: string | undefined;
  /** True if CONNECT named no client id, so that the client would have another id in every connection. */
  isNameless = false;
  /** The connection’s number, which is higher than that of every earlier connection; see `Claim`. */
  number: number | undefined;
  /** Who votes over this connection; undefined until the device is admitted. */
  elector: Elector | undefined;
  /** The client id that came with CONNECT, valid or not. */
  clientId: string | undefined;
  /** True once CONNECT has been accepted. */
  isReady = false;
  /** Why the client is not let in. */
  refusal: Refusal | undefined;
  /** Why the connection ends; set by the part of the broker that ends it. */
  departure: Departure | undefined;
  /** The reason in words, for the log. */
  detail: string | undefined;
  /** Identifies the registration that admitted the device; undefined if the device is not registered. */
  registration: string | undefined;
  /** True once the connection has been taken over, or its device removed. Nothing that arrives from then on is taken. */
  isEnding = false;
  /** Resolves once the connection has closed and Aedes has cleared up after it. */
  readonly gone: Promise<void>;
  /** How the device’s last connection ended. */
  before: LastLine = 'unknown';
  private stage: 'waiting' | 'entering' | 'registered' = 'waiting';
  private readiness = Promise.resolve();
  private nowReady = () => {};
  private nowGone = () => {};

  constructor(gate: Gate, address: string | undefined) {
    this.gate = gate;
    this.address = address;
    this.gone = new Promise((resolve) => {
      this.nowGone = resolve;
    });
    gate.once('close', () => {
      this.nowReady();
      if (this.stage !== 'registered') this.nowGone();
      else setTimeout(this.nowGone, CLEAR_LIMIT_MS).unref();
    });
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

  get isClosed(): boolean {
    return this.gate.destroyed;
  }

  /** Call when the device is admitted and Aedes goes on to restore its session. */
  enter(): void {
    this.stage = 'entering';
    this.readiness = new Promise((resolve) => {
      this.nowReady = resolve;
    });
  }

  /** Call when Aedes has added the connection to its clients. */
  registered(): void {
    this.stage = 'registered';
  }

  /** Call when CONNACK has been sent. @param receiver takes what the device publishes */
  ready(receiver: Receiver): void {
    this.isReady = true;
    this.nowReady();
    this.gate.accept(receiver);
  }

  /** Call when Aedes has removed the connection from its clients. */
  left(): void {
    this.nowGone();
  }

  /** Takes nothing more from the device, acknowledges what was accepted before, and closes. @param stored see `Intake.drained` */
  end(stored: () => Promise<void>): void {
    if (this.isEnding) return;
    this.isEnding = true;
    if (this.gate.ending === undefined && !this.isClosed) this.because('takeover');
    if (this.stage === 'waiting') this.gate.destroy();
    else void this.finish(stored);
  }

  private async finish(stored: () => Promise<void>): Promise<void> {
    // A connection that Aedes is still setting up is closed only afterwards, or Aedes would leave its subscriptions behind.
    await withinOr(END_LIMIT_MS, this.readiness, undefined);
    await withinOr(END_LIMIT_MS, stored(), undefined);
    // The acknowledgements leave in this turn of the event loop.
    await turn();
    this.gate.destroy();
  }
}
