import type { Client } from 'aedes';
import type { ClientCertificate } from '../../core/process/tls/trust.ts';
import { votersOf } from '../../core/voting/poll/electorate.ts';
import { type Roll, rollOf } from '../../core/voting/rules/roll.ts';
import type { Common } from '../../core/voting/rules/settings.ts';
import type { AedesPort } from './aedes-port.ts';
import { CLOSED_PER_TURN } from './closing.ts';
import type { Connection } from './connection.ts';

/** If so many ms have passed since the last check, the process stood still. What clients sent meanwhile is read first. */
const STALL_MS = 1_000;

/** The connections of this broker. */
export class Connections {
  private readonly open = new Set<Connection>();
  /** Those that their clients have ended, and that are about to close. */
  private readonly ending = new Set<Connection>();
  private checkedAtMs = performance.now();
  /** Those that the check under way still has to look at. */
  private unchecked: Iterator<Connection> | undefined;
  /** Those that Aedes has taken in; also those that have closed, because Aedes clears up after that. */
  private readonly byPort = new WeakMap<object, Connection>();

  get size(): number {
    return this.open.size;
  }

  /** Those of devices whose secret has ended by now, in ms since 1970. */
  withEndedSecret(nowMs: number): Connection[] {
    return [...this.open].filter(({ secretUntilMs = Infinity }) => secretUntilMs <= nowMs);
  }

  /** Those of guests. */
  *guests(): Generator<Connection> {
    for (const connection of this.open) if (connection.guest) yield connection;
  }

  add(connection: Connection): void {
    this.open.add(connection);
  }

  /** Call when the client has ended a connection. */
  closing(connection: Connection): void {
    if (this.open.delete(connection)) this.ending.add(connection);
  }

  /** Call when a connection has closed. */
  remove(connection: Connection): void {
    this.open.delete(connection);
    this.ending.delete(connection);
  }

  /** Call before Aedes gets the port of a connection. */
  attach(port: AedesPort, connection: Connection): void {
    this.byPort.set(port, connection);
  }

  /** The connection of an Aedes client. */
  of({ conn }: Client): Connection {
    const connection = this.byPort.get(conn);
    if (!connection) throw new Error('the client has no connection');
    return connection;
  }

  /** Whether a client of MQTT 5 wants messages on a topic with the RETAIN flag with which they were published. */
  isAsPublished(client: object, topic: string): boolean {
    const { mqtt5 } = this.of(client as Client).gate;
    return mqtt5?.subscriptions.isAsPublished(topic) ?? false;
  }

  /** Those whose clients have shown a certificate that is not good any more. */
  withBadCertificate(isGood: (certificate: ClientCertificate) => boolean): Connection[] {
    return [...this.open].filter(({ certificate }) => certificate && !isGood(certificate));
  }

  /** The connected voters who may vote in a poll, without duplicates. */
  present(definition: Common): Roll {
    const voters = [...this.open].flatMap(({ elector, isEnding }) =>
      elector && !isEnding ? votersOf(elector, definition) : [],
    );
    return rollOf(new Map(voters.map((voter) => [voter.voter, voter])).values());
  }

  /** Closes connections whose clients take too long. Call several times a second. */
  check(): void {
    const nowMs = performance.now();
    const sinceMs = nowMs - this.checkedAtMs;
    this.checkedAtMs = nowMs;
    // After a pass that takes long, the next one begins late.
    if (sinceMs > STALL_MS || this.unchecked) return;
    this.unchecked = this.open.values();
    this.checkSome();
  }

  /** Goes on with checks until some connections were closed; the next turn of the event loop goes on from there. */
  private readonly checkSome = (): void => {
    const nowMs = performance.now();
    let left = CLOSED_PER_TURN;
    while (left > 0) {
      const { done, value } = this.unchecked?.next() ?? { done: true };
      if (done || !value) {
        this.unchecked = undefined;
        return;
      }
      value.gate.check(nowMs);
      if (value.isClosed) left--;
    }
    setImmediate(this.checkSome);
  };

  /** Notes that all connections end because the broker stops. */
  stopping(): void {
    for (const connection of this.open) connection.because('stopping');
  }

  /** Closes every connection. */
  destroyAll(): void {
    for (const { gate } of [...this.open, ...this.ending]) gate.destroy();
  }
}
