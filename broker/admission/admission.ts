import type { AuthenticateError, Client, ConnectPacket, Subscription } from 'aedes';
import { type Device, electorOf } from '../../core/devices/device.ts';
import type { Collection, Store } from '../../core/store/store.ts';
import type { Connection } from '../connection/connection.ts';
import type { Connections } from '../connection/connections.ts';
import { maySubscribe, mayWill } from '../connection/permissions.ts';
import type { Refusal } from '../connection/reasons.ts';
import type { DeviceStatuses } from '../intake/device-statuses.ts';
import type { Watch } from '../watch/watch.ts';
import { CONNACK, type Door, type DoorRefusal } from './door.ts';
import { MAX_SUBSCRIPTIONS } from './sessions.ts';

/** Delay in ms before a revoked device is disconnected again, in case another of its connections was just being admitted. */
const REVOKE_AGAIN_MS = 1_000;
/**
 * If the store is unreachable, a device cannot be admitted; it is disconnected after this delay (ms). Without the delay, the
 * device would reconnect immediately.
 */
const STORE_DOWN_MS = 1_000;

type Authenticated = (error: AuthenticateError | null, success: boolean | null) => void;

interface AdmissionParts {
  readonly store: Store;
  readonly door: Door;
  readonly connections: Connections;
  readonly statuses: DeviceStatuses;
  /** The client with that id, if it is connected. */
  readonly client: (id: string) => Client | undefined;
  readonly watch: Watch;
}

/** Decides which devices may connect, what they may subscribe to, and when they are disconnected. */
export class Admission {
  private readonly parts: AdmissionParts;

  constructor(parts: AdmissionParts) {
    this.parts = parts;
  }

  /**
   * Remembers the client id, and the will topic for `authenticate`. Aedes authorises a will only when it is published, which is too
   * late to refuse it.
   */
  readonly preConnect = (client: Client, packet: ConnectPacket, done: (error: null, ok: boolean) => void): void => {
    const connection = this.parts.connections.of(client);
    connection.clientId = packet.clientId;
    if (packet.will) connection.will = packet.will.topic;
    done(null, true);
  };

  readonly authenticate = async (
    client: Client,
    user: string | undefined,
    password: Buffer | undefined,
    done: Authenticated,
  ): Promise<void> => {
    const connection = this.parts.connections.of(client);
    try {
      const refusal = await this.admit(connection, client.id, user, password);
      // The client disconnected before the answer was known.
      if (connection.isClosed) return;
      if (!refusal) return done(null, true);
      connection.because('lost', refusalOf(refusal), refusal.why);
      done(Object.assign(new Error(refusal.why), { returnCode: refusal.code }) as AuthenticateError, false);
    } catch (error) {
      connection.because('store', 'store', (error as Error).message);
      // Send no CONNACK, as if the server were unreachable: many clients do not reconnect after a refusal.
      setTimeout(() => connection.gate.destroy(), STORE_DOWN_MS).unref();
    }
  };

  readonly authorizeSubscribe = (
    client: Client,
    subscription: Subscription,
    done: (error: null, granted: Subscription | null) => void,
  ): void => {
    const { granted } = this.parts.connections.of(client);
    const isFull = granted.size >= MAX_SUBSCRIPTIONS && !granted.has(subscription.topic);
    if (isFull || !maySubscribe(subscription.topic, client.id)) {
      const why = isFull ? 'too many subscriptions' : 'a subscription to a topic that devices may not read';
      this.parts.watch.refused(client.id, 'topic', why);
      return done(null, null);
    }
    granted.add(subscription.topic);
    this.parts.watch.subscribed(client.id, subscription.topic);
    done(null, subscription);
  };

  readonly unsubscribed = (topics: readonly string[], client: Client): void => {
    const { granted } = this.parts.connections.of(client);
    for (const topic of topics) granted.delete(topic);
  };

  /** Disconnects a device that was removed, and applies changes to one that is connected. */
  readonly onWrite = async (collection: Collection, device: string): Promise<void> => {
    const { client, connections, store } = this.parts;
    const connected = collection === 'devices' ? client(device) : undefined;
    if (!connected) return;
    // A failed read does not mean that the device was removed.
    const kept = await store.registry.get<Device>('devices', device).catch(() => 'unknown' as const);
    if (kept === 'unknown') return;
    if (kept) {
      const connection = connections.of(connected);
      if (connection.elector?.isRegistered) connection.elector = electorOf(kept.value);
      return;
    }
    const disconnect = () => {
      const found = client(device);
      if (!found) return;
      connections.of(found).because('removed');
      found.close();
    };
    disconnect();
    // Disconnect again later: another connection of the device may just have been admitted and not be in the client list yet.
    setTimeout(disconnect, REVOKE_AGAIN_MS).unref();
  };

  private async admit(
    connection: Connection,
    id: string,
    user: string | undefined,
    password: Buffer | undefined,
  ): Promise<DoorRefusal | undefined> {
    const { door, store, statuses } = this.parts;
    if (connection.will !== undefined && !mayWill(connection.will, id)) {
      return { code: CONNACK.notAuthorized, why: 'a will is only allowed on the device’s own status topic' };
    }
    const admitted = await door(id, user, password);
    if ('why' in admitted) return admitted;
    connection.number = await store.log.nextConnection();
    if (connection.isClosed) return undefined;
    connection.elector = admitted;
    if (admitted.isRegistered) {
      statuses.seen(admitted.device);
      connection.gate.once('close', () => statuses.seen(admitted.device));
    }
    return undefined;
  }
}

function refusalOf({ code }: DoorRefusal): Refusal {
  if (code === CONNACK.identifierRejected) return 'id';
  return code === CONNACK.badCredentials ? 'secret' : 'will';
}
