import { Aedes, type AedesOptions, type Client, type PublishPacket } from 'aedes';
import { isVoteTopic } from '../core/voting/rules/topics.ts';

type Done = (error?: Error) => void;

/** The connected clients by id, which Aedes’s types leave out. */
interface Clients {
  readonly clients: Readonly<Record<string, Client>>;
}

/** Topics on which Aedes tells all brokers of each SUBSCRIBE and UNSUBSCRIBE packet. Nobody listens to them. */
const SUBSCRIPTION_NOTICE = /^\$SYS\/[^/]+\/new\/(?:un)?subscribes$/;

/**
 * Aedes, except that messages published by devices never reach subscribers, so that votes stay secret and cause no fan-out.
 * Only announcements by brokers and Aedes’s `$SYS` messages are delivered.
 */
export class VoteAedes extends Aedes {
  constructor(options: AedesOptions) {
    super(options);
    // Aedes adds a listener per client; this is not a leak.
    this.setMaxListeners(0);
  }

  override publish(packet: PublishPacket, client: Client | Done | null, done?: Done): void {
    const finish = typeof client === 'function' ? client : (done ?? (() => {}));
    const { topic } = packet;
    if (isVoteTopic(topic) || topic.startsWith('device/') || SUBSCRIPTION_NOTICE.test(topic)) return finish();
    super.publish(packet, finish);
  }

  /** Publishes a retained message; resolves once it has been sent to every subscriber of this broker. */
  retain(topic: string, payload: string, qos: 0 | 1): Promise<void> {
    const packet: PublishPacket = {
      cmd: 'publish',
      topic,
      payload: Buffer.from(payload),
      qos,
      retain: true,
      dup: false,
    };
    return new Promise((resolve, reject) => {
      this.publish(packet, (error?: Error) => (error ? reject(error) : resolve()));
    });
  }

  /** The client with that id, if it is connected to this broker. */
  client(id: string): Client | undefined {
    return (this as Aedes as Aedes & Clients).clients[id];
  }
}
