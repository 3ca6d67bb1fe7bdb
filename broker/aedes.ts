import { Aedes, type AedesOptions, type Client, type PublishPacket } from 'aedes';
import type { Log } from '../core/runtime/log.ts';
import { isVoteTopic } from '../core/voting/rules/topics.ts';
import type { Admission } from './admission/admission.ts';
import type { Connections } from './connection/connections.ts';
import { GATE_LIMITS } from './connection/wire/limits.ts';
import type { Deliveries } from './sessions/deliveries.ts';
import type { Sessions } from './sessions/sessions.ts';
import { blame } from './watch/blame.ts';

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

interface AedesParts {
  readonly sessions: Sessions;
  readonly deliveries: Deliveries;
  readonly admission: Admission;
  readonly connections: Connections;
  readonly log: Log;
}

/** Opens Aedes with all that the broker decides for it. */
export async function openAedes(parts: AedesParts): Promise<VoteAedes> {
  const { deliveries, admission, connections, log } = parts;
  const { persistence, emitter } = parts.sessions;
  const aedes = new VoteAedes({
    persistence,
    ...(emitter ? { mq: emitter } : {}),
    drainTimeout: GATE_LIMITS.drainMs,
    // Aedes gets only clients that have been admitted.
    authenticate: (_client, _user, _password, done) => done(null, true),
    authorizeSubscribe: admission.authorizeSubscribe,
    authorizeForward: (client, packet) => (deliveries.shouldSend(client, packet) ? packet : null),
  });
  aedes.on('client', (client) => connections.of(client).registered(client));
  aedes.on('clientDisconnect', (client) => connections.of(client).left());
  aedes.on('unsubscribe', admission.unsubscribed);
  for (const event of ['clientError', 'connectionError'] as const) {
    aedes.on(event, (client, error) => blame(connections.of(client), error));
  }
  (aedes as NodeJS.EventEmitter).on('error', (error) => log.error({ err: error }, 'Aedes reported an error'));
  try {
    await aedes.listen();
  } catch (error) {
    aedes.close();
    throw error;
  }
  return aedes;
}
