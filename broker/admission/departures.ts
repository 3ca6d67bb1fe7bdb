import { randomBytes } from 'node:crypto';
import type { Client } from 'aedes';
import type { Log } from '../../core/runtime/log.ts';
import type { LastLine, Presence } from '../../core/store/store.ts';
import type { Connection } from '../connection/connection.ts';

/** Set by Aedes when the client has sent DISCONNECT, which Aedes’s types leave out. */
interface Leaver {
  readonly _disconnected: boolean;
}

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
  async arrive(client: Client, connection: Connection): Promise<LastLine> {
    const { gate } = connection;
    const { id: device } = client;
    const line = randomBytes(9).toString('base64url');
    const before = await this.presence.arrive(device, line);
    gate.once('close', () => {
      // A connection that is ending takes nothing more, so what came last was not acknowledged.
      if (!(client as Client & Leaver)._disconnected || connection.isEnding) return;
      if (!gate.acknowledgements.isEmpty) return;
      this.presence.leave(device, line).catch((error) => {
        this.log.debug({ err: error, device }, 'could not note that a device has left');
      });
    });
    return before;
  }
}
