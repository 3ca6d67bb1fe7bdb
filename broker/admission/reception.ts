import type { VoteAedes } from '../aedes.ts';
import type { Connection, House } from '../connection/connection.ts';
import type { Connections } from '../connection/connections.ts';
import type { PacketClass } from '../connection/flow/pace.ts';
import type { Lines } from '../connection/lines.ts';
import { connectForAedes } from '../connection/mqtt5/connect.ts';
import type { Refusal } from '../connection/reasons.ts';
import type { Connect } from '../connection/wire/connect.ts';
import type { Publishing } from '../intake/publishing.ts';
import { blame } from '../watch/blame.ts';
import type { Watch } from '../watch/watch.ts';
import type { Admission } from './admission.ts';
import { CONNACK, type DoorRefusal } from './door.ts';
import type { Entrance } from './entrance.ts';

/**
 * If the store is unreachable, a device cannot be admitted; it is disconnected after this delay (ms). Without the delay, the
 * device would reconnect immediately.
 */
const STORE_DOWN_MS = 1_000;
/** The protocol level of MQTT 3.1. */
const MQTT_3_1 = 3;

interface ReceptionParts {
  readonly admission: Admission;
  readonly entrance: Entrance;
  readonly aedes: VoteAedes;
  readonly publishing: Publishing;
  readonly connections: Connections;
  readonly lines: Lines;
  readonly watch: Watch;
  /** Aborted when the broker stops. */
  readonly halt: AbortSignal;
}

/** Sees each connection through: lets the client in or turns it away, has Aedes take it in if it needs Aedes, and sees it off. */
export class Reception implements House {
  private readonly parts: ReceptionParts;

  constructor(parts: ReceptionParts) {
    this.parts = parts;
    const { aedes, connections } = parts;
    aedes.on('clientReady', (client) => {
      const connection = connections.of(client);
      if (!connection.isReady) this.begin(connection);
      connection.attached();
    });
  }

  arrive(connection: Connection, connect: Connect): void {
    void this.receive(connection, connect);
  }

  attach(connection: Connection, connack?: Buffer): void {
    const { aedes, connections } = this.parts;
    const { gate, clientId = '', isClean, request } = connection;
    const port = gate.attach(connack);
    connections.attach(port, connection);
    connection.attach();
    aedes.handle(port, request);
    port.pass(connectForAedes(clientId, isClean));
  }

  slowed(connection: Connection, of: PacketClass): void {
    this.parts.watch.slowed(connection, of);
  }

  closing(connection: Connection): void {
    this.parts.connections.closing(connection);
  }

  depart(connection: Connection, error: Error | null): void {
    const { admission, entrance, connections, publishing, watch, halt } = this.parts;
    const { gate, clientId, will } = connection;
    if (error) blame(connection, error);
    // What nobody gave a reason for was closed because the device had connected again.
    connection.because(halt.aborted ? 'stopping' : (gate.ending ?? 'takeover'));
    watch.closed(connection);
    connections.remove(connection);
    entrance.leave(connection);
    admission.depart(connection);
    const isWanted = gate.ending !== 'goodbye' || gate.mqtt5?.left === 'with will';
    if (connection.isAdmitted && clientId !== undefined && will && isWanted && !connection.hasDelayedWill) {
      publishing.will(clientId, will);
    }
  }

  gone(connection: Connection): void {
    this.parts.lines.left(connection);
  }

  private async receive(connection: Connection, connect: Connect): Promise<void> {
    const { gate } = connection;
    const { admission, entrance } = this.parts;
    try {
      const early = await entrance.arrive(connection);
      if (connection.isClosed) return;
      if (early) return turnAway(connection, early);
      const admitted = await admission.admit(connection, connect);
      // The client disconnected before the answer was known.
      if (connection.isClosed) return;
      if ('why' in admitted) {
        const refusal = await entrance.refuse(connection, admitted);
        return connection.isClosed ? undefined : turnAway(connection, refusal);
      }
      connection.enter();
      this.parts.watch.connected(connection);
      // In MQTT 3.1, the byte is reserved.
      const connack = gate.dialect.welcome(admitted.isSessionPresent && connect.level !== MQTT_3_1);
      if (admitted.hasSubscriptions) return this.attach(connection, connack);
      gate.acknowledge(connack);
      this.begin(connection);
    } catch (error) {
      connection.because('store', 'store', (error as Error).message);
      // Send no CONNACK, as if the server were unreachable: many clients do not reconnect after a refusal.
      setTimeout(() => gate.destroy(), STORE_DOWN_MS).unref();
    }
  }

  private begin(connection: Connection): void {
    connection.ready(this.parts.publishing.receiver(connection));
  }
}

function turnAway(connection: Connection, refusal: DoorRefusal): void {
  const { code, code5, why } = refusal;
  connection.because('lost', reasonOf(refusal), why);
  connection.gate.turnAway(connection.gate.dialect.refusal(code, why, code5), why);
}

function reasonOf({ code, as }: DoorRefusal): Refusal {
  if (as) return as;
  if (code === CONNACK.identifierRejected) return 'id';
  return code === CONNACK.badCredentials ? 'secret' : 'will';
}
