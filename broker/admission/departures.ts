import type { Log } from '../../core/runtime/log.ts';
import type { LastLine, Presence } from '../../core/store/store.ts';
import type { Connection } from '../connection/connection.ts';

/**
 * Notes how each device’s connection ends, for all brokers. A device that leaves with DISCONNECT, after everything it sent has
 * been acknowledged, has nothing to send again.
 */
export class Departures {
  private readonly presence: Presence;
  private readonly log: Log;

  constructor(presence: Presence, log: Log) {
    this.presence = presence;
    this.log = log;
  }

  /** How the last connection of the device ended. From now on, the new connection counts as its last one. */
  async arrive(connection: Connection, device: string): Promise<LastLine> {
    const line = String(connection.number);
    const before = await this.presence.arrive(device, line);
    connection.line = line;
    return before;
  }

  /** Call when a connection has closed. */
  depart({ gate, line, clientId: device, isEnding }: Connection): void {
    if (line === undefined || device === undefined) return;
    const hasLeft = gate.ending === 'goodbye' && gate.mqtt5?.left !== 'with will';
    // A connection that is ending takes nothing more, so what came last was not acknowledged.
    if (!hasLeft || isEnding || !gate.acknowledgements.isEmpty) return;
    this.presence.leave(device, line).catch((error) => {
      this.log.debug({ err: error, device }, 'could not note that a device has left');
    });
  }
}
