import type { Client } from 'aedes';
import { votersOf } from '../../core/voting/poll/electorate.ts';
import { type Roll, rollOf } from '../../core/voting/rules/roll.ts';
import type { Common } from '../../core/voting/rules/settings.ts';
import { Connection } from './connection.ts';
import type { Gate } from './gate.ts';

/** The connections of this broker. */
export class Connections {
  private readonly open = new Set<Connection>();
  /** Also those that have closed, because Aedes publishes a client’s will after its connection has closed. */
  private readonly byGate = new WeakMap<object, Connection>();

  get size(): number {
    return this.open.size;
  }

  /** Adds a connection, and removes it when its gate closes. */
  add(gate: Gate, address: string | undefined): Connection {
    const connection = new Connection(gate, address);
    this.open.add(connection);
    this.byGate.set(gate, connection);
    gate.once('close', () => this.open.delete(connection));
    return connection;
  }

  /** The connection of an Aedes client. */
  of({ conn }: Client): Connection {
    const connection = this.byGate.get(conn);
    if (!connection) throw new Error('the client has no connection');
    return connection;
  }

  /** Whether a client of MQTT 5 wants messages on a topic with the RETAIN flag with which they were published. */
  isAsPublished(client: object, topic: string): boolean {
    const { mqtt5 } = this.of(client as Client).gate;
    return mqtt5?.subscriptions.isAsPublished(topic) ?? false;
  }

  /** The connected voters who may vote in a poll, without duplicates. */
  present(definition: Common): Roll {
    const voters = [...this.open].flatMap(({ elector, isEnding }) =>
      elector && !isEnding ? votersOf(elector, definition) : [],
    );
    return rollOf(new Map(voters.map((voter) => [voter.voter, voter])).values());
  }

  /** Notes that all connections end because the broker stops. */
  stopping(): void {
    for (const connection of this.open) connection.because('stopping');
  }

  /** Closes every connection abruptly. */
  destroyAll(): void {
    for (const { gate } of this.open) gate.destroy();
  }
}
