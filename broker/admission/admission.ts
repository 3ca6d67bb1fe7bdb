import type { AuthenticateError, Client, ConnectPacket, Subscription } from 'aedes';
import { type Device, electorOf, registrationOf } from '../../core/devices/device.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { Collection, Store } from '../../core/store/store.ts';
import { pause } from '../../core/waiting/pause.ts';
import type { Connection } from '../connection/connection.ts';
import type { Connections } from '../connection/connections.ts';
import type { Lines } from '../connection/lines.ts';
import type { Permissions } from '../connection/permissions.ts';
import type { Refusal } from '../connection/reasons.ts';
import type { DeviceStatuses } from '../intake/device-statuses.ts';
import type { SessionKeeper, SessionUse } from '../sessions/keeper.ts';
import { MAX_SUBSCRIPTIONS } from '../sessions/sessions.ts';
import type { DelayedWills } from '../sessions/wills.ts';
import type { Watch } from '../watch/watch.ts';
import { Departures } from './departures.ts';
import { CONNACK, type Door, type DoorRefusal, WRONG_CREDENTIALS } from './door.ts';

/** Delay in ms before a device is looked up again after the store could not be read. */
const LOOK_AGAIN_MS = 500;
/**
 * If the store is unreachable, a device cannot be admitted; it is disconnected after this delay (ms). Without the delay, the
 * device would reconnect immediately.
 */
const STORE_DOWN_MS = 1_000;

/** The protocol level of MQTT 3.1. */
const MQTT_3_1 = 3;

type Authenticated = (error: AuthenticateError | null, success: boolean | null) => void;

interface AdmissionParts {
  readonly store: Store;
  readonly door: Door;
  readonly connections: Connections;
  readonly lines: Lines;
  readonly statuses: DeviceStatuses;
  readonly permissions: Permissions;
  readonly sessions: SessionKeeper;
  readonly wills: DelayedWills;
  readonly watch: Watch;
  readonly log: Log;
}

/** Decides which devices may connect, what they may subscribe to, and when they are disconnected. */
export class Admission {
  private readonly parts: AdmissionParts;
  private readonly departures: Departures;

  constructor(parts: AdmissionParts) {
    this.parts = parts;
    this.departures = new Departures(parts.store.presence, parts.log);
  }

  /**
   * Remembers the client id, and for `authenticate` what Aedes does not pass on: the will topic, because Aedes authorises a will only when it is
   * published, which is too late to refuse it; and that the client id was empty, because Aedes makes one up.
   */
  readonly preConnect = (client: Client, packet: ConnectPacket, done: (error: null, ok: boolean) => void): void => {
    const connection = this.parts.connections.of(client);
    connection.clientId = packet.clientId;
    connection.will = (connection.gate.mqtt5?.connect.will ?? packet.will)?.topic;
    connection.isNameless = !packet.clientId;
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
      const refusal = await this.admit(connection, client, user, password);
      // The client disconnected before the answer was known.
      if (connection.isClosed) return;
      if (!refusal) {
        connection.enter();
        return done(null, true);
      }
      connection.because('lost', refusalOf(refusal), refusal.why);
      if (connection.gate.mqtt5) connection.gate.mqtt5.refused = refusal.why;
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
    if (isFull || !this.parts.permissions.maySubscribe(subscription.topic, client.id)) {
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

  /** Disconnects a device that was removed, even if it has been registered again, and applies changes to one that is connected. */
  readonly onWrite = async (collection: Collection, device: string): Promise<void> => {
    if (collection !== 'devices') return;
    for (;;) {
      const registered = this.parts.lines.of(device).filter(isRegistered);
      if (registered.length === 0) return;
      try {
        const kept = await this.parts.store.registry.get<Device>('devices', device);
        for (const connection of registered) {
          if (update(connection, kept?.value)) continue;
          connection.because('removed');
          this.parts.lines.end(connection);
        }
        return;
      } catch {
        // A failed read does not mean that the device was removed.
        await pause(LOOK_AGAIN_MS);
      }
    }
  };

  private async admit(
    connection: Connection,
    client: Client,
    user: string | undefined,
    password: Buffer | undefined,
  ): Promise<DoorRefusal | undefined> {
    const { door, lines, statuses, permissions } = this.parts;
    const { id } = client;
    if (connection.isNameless) {
      return {
        code: CONNACK.identifierRejected,
        why: 'the client id is empty: a vote sent again in another connection would count as somebody else’s; set a client id',
      };
    }
    if (connection.will !== undefined && !permissions.mayWill(connection.will, id)) {
      return { code: CONNACK.notAuthorized, why: 'a will is only allowed on the device’s own status topic' };
    }
    const admitted = await door(id, user, password);
    if ('why' in admitted) return admitted;
    const { elector, registration } = admitted;
    connection.registration = registration;
    connection.elector = elector;
    if (!(await lines.enter(connection, id))) {
      connection.gate.destroy();
      return undefined;
    }
    connection.before = await this.departures.arrive(client, connection);
    if (registration === undefined) {
      await this.enterSession(connection, client);
      return undefined;
    }
    // The device may have been changed or removed after the door looked it up and before `onWrite` could find the connection.
    const kept = await this.parts.store.registry.get<Device>('devices', id);
    if (!update(connection, kept?.value)) return WRONG_CREDENTIALS;
    if (connection.isClosed) return undefined;
    await this.enterSession(connection, client);
    statuses.seen(id);
    connection.gate.once('close', () => statuses.seen(id));
    return undefined;
  }

  /** Enters the client’s session only now, because a client that was not admitted may not touch it. */
  private async enterSession(connection: Connection, client: Client): Promise<void> {
    if (connection.isClosed) return;
    await Promise.all([this.enterWill(connection, client), this.continueSession(connection, client)]);
  }

  private async continueSession({ gate, number = 0 }: Connection, { id, clean, version }: Client): Promise<void> {
    const { sessions } = this.parts;
    const { mqtt5 } = gate;
    if (clean) return;
    const use: SessionUse = {
      connection: number,
      isFresh: mqtt5?.connect.isCleanStart ?? false,
      expiryMs: mqtt5 && mqtt5.expirySeconds * 1_000,
    };
    gate.once('close', () => sessions.leave(id, use, mqtt5 && mqtt5.expirySeconds * 1_000));
    const isPresent = await sessions.enter(id, use);
    // In MQTT 3.1, the byte is reserved.
    gate.outgoing.sessionPresent = isPresent && version !== MQTT_3_1;
    if (mqtt5 && isPresent) mqtt5.subscriptions.restore(await sessions.filters(id));
  }

  /** Ends the wait of the device’s last will, and notes a new one that is to wait. */
  private async enterWill(connection: Connection, { id, clean }: Client): Promise<void> {
    const { wills } = this.parts;
    const { gate, number = 0 } = connection;
    const { mqtt5 } = gate;
    const will = mqtt5?.delayedWill;
    await wills.arrive(id, {
      connection: number,
      isFresh: mqtt5?.connect.isCleanStart ?? clean,
      will: will && { payload: will.payload, delayMs: will.delaySeconds * 1_000 },
    });
    if (!mqtt5 || !will) return;
    const leave = () => wills.leave(id, number, mqtt5.left !== 'without will', mqtt5.expirySeconds * 1_000);
    if (connection.isClosed) leave();
    else gate.once('close', leave);
  }
}

function isRegistered({ registration }: Connection): boolean {
  return registration !== undefined;
}

/** Applies what is stored about a device to its connection. False if the registration that admitted it no longer exists. */
function update(connection: Connection, kept: Device | undefined): boolean {
  if (!kept || registrationOf(kept) !== connection.registration) return false;
  connection.elector = electorOf(kept);
  return true;
}

function refusalOf({ code }: DoorRefusal): Refusal {
  if (code === CONNACK.identifierRejected) return 'id';
  return code === CONNACK.badCredentials ? 'secret' : 'will';
}
