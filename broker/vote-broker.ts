import { Aedes, type AedesOptions, type Client, type PublishPacket } from 'aedes';
import { isVoteTopic } from '../core/voting/topics.ts';

type Done = (error?: Error) => void;

/**
 * Aedes, with one difference: what devices publish never travels on to subscribers. Votes stay secret, and a vote
 * costs no fan-out. Only this broker's own announcements and Aedes's `$SYS` bookkeeping do.
 */
export class VoteBroker extends Aedes {
  constructor(options: AedesOptions) {
    super(options);
    // Aedes raises its own errors as events; unheard, one would end the process.
    this.setMaxListeners(0);
  }

  override publish(packet: PublishPacket, client: Client | Done | null, done?: Done): void {
    const finish = typeof client === 'function' ? client : (done ?? (() => {}));
    if (isVoteTopic(packet.topic) || packet.topic.startsWith('device/')) return finish();
    super.publish(packet, finish);
  }

  /** The connected client of that id on this broker. */
  client(id: string): Client | undefined {
    return (this as unknown as { clients: Record<string, Client> }).clients[id];
  }
}
