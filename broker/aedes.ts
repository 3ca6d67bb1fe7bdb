import { Aedes, type AedesOptions, type Client, type PublishPacket } from 'aedes';
import { isVoteTopic } from '../core/voting/rules/topics.ts';

type Done = (error?: Error) => void;

/** The connected clients by id, which Aedes’s types leave out. */
interface Clients {
  readonly clients: Record<string, Client>;
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

  /**
   * Called by Aedes before CONNACK. Unlike Aedes, does not end an older connection of the id, here or (by `$SYS`) at other
   * brokers: `Lines` has done that, and only `Lines` knows which one is older.
   */
  registerClient(client: Client): void {
    // A client that closes while it connects has been cleared up already.
    if (client.closed) return;
    this.byId[client.id] = client;
    this.emit('client', client);
  }

  /** Called by Aedes when a client has closed. Unlike Aedes, never removes a newer client with the same id. */
  unregisterClient(client: Client): void {
    if (this.byId[client.id] === client) delete this.byId[client.id];
    this.emit('clientDisconnect', client);
  }

  private get byId(): Record<string, Client> {
    return (this as Aedes as Aedes & Clients).clients;
  }
}
