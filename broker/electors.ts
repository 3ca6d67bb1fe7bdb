import type { Client } from 'aedes';
import { type Device, electorOf } from '../core/devices/device.ts';
import { type Elector, votersOf } from '../core/voting/electorate.ts';
import type { Definition } from '../core/voting/poll.ts';
import { type Roll, rollOf } from '../core/voting/roll.ts';

/** What is known of the devices that are connected to this broker. */
export class Electors {
  private readonly electors = new Map<Client, Elector>();

  /** Notes who has been let in, until it hangs up. False: it has, while it was asked for. */
  admit(client: Client, elector: Elector): boolean {
    if (client.closed || client.conn.destroyed) return false;
    this.electors.set(client, elector);
    client.conn.once('close', () => this.electors.delete(client));
    return true;
  }

  of(client: Client): Elector {
    return this.electors.get(client) ?? { device: client.id, isRegistered: false, isGuest: false };
  }

  /** A registered device has another group, weight or mandates from now on. */
  update(client: Client, device: Device): void {
    if (this.electors.get(client)?.isRegistered) this.electors.set(client, electorOf(device));
  }

  /** Who is connected, of those who may vote in a poll; each voter once. */
  present(definition: Definition): Roll {
    const voters = [...this.electors.values()].flatMap((elector) => votersOf(elector, definition));
    return rollOf(new Map(voters.map((voter) => [voter.voter, voter])).values());
  }
}
