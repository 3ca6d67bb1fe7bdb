import type { Client, Subscription } from 'aedes';
import { type Device, electorOf, registrationOf } from '../../core/devices/device.ts';
import type { GuestBook } from '../../core/devices/guests/guest-book.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { Collection, Store } from '../../core/store/store.ts';
import { pause } from '../../core/waiting/pause.ts';
import type { Connection } from '../connection/connection.ts';
import type { Connections } from '../connection/connections.ts';
import type { Lines } from '../connection/lines.ts';
import type { Permissions } from '../connection/permissions.ts';
import type { Connect } from '../connection/wire/connect.ts';
import type { DeviceStatuses } from '../intake/device-statuses.ts';
import type { SessionKeeper } from '../sessions/keeper.ts';
import { MAX_SUBSCRIPTIONS } from '../sessions/sessions.ts';
import type { DelayedWills } from '../sessions/wills.ts';
import type { Watch } from '../watch/watch.ts';
import { Departures } from './departures.ts';
import { CONNACK, type Door, type DoorRefusal, WRONG_CREDENTIALS } from './door.ts';
import type { Entrance } from './entrance.ts';

/** Delay in ms before a device is looked up again after the store could not be read. */
const LOOK_AGAIN_MS = 500;
/** How a device was let in. */
export interface Entry {
  /** True if its session was stored (Session Present). */
  readonly isSessionPresent: boolean;
  /** True if that session has subscriptions. */
  readonly hasSubscriptions: boolean;
}

const NEW: Entry = { isSessionPresent: false, hasSubscriptions: false };

interface AdmissionParts {
  readonly store: Store;
  readonly door: Door;
  readonly entrance: Entrance;
  /** Undefined with an open door, at which nobody is identified. */
  readonly guests: GuestBook | undefined;
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
   * Lets a device in, as the only one with its id. Resolves with the reason if it is refused, and with anything if the connection
   * has closed meanwhile. Rejects if the store cannot be reached.
   */
  async admit(connection: Connection, connect: Connect): Promise<DoorRefusal | Entry> {
    const { door, entrance, lines, statuses, permissions } = this.parts;
    const { clientId: id, user, password, will } = connect;
    if (id === '') {
      return {
        code: CONNACK.identifierRejected,
        why: 'the client id is empty: a vote sent again in another connection would count as somebody else’s; set a client id',
      };
    }
    if (will && !permissions.mayWill(will.topic, id)) {
      return { code: CONNACK.notAuthorized, why: 'a will is only allowed on the device’s own status topic' };
    }
    const admitted = await door(id, { user, password, certificate: connection.certificate });
    if ('why' in admitted) return admitted;
    const { elector, registration, guest } = admitted;
    const refused = await entrance.admit(connection, id, elector.isRegistered);
    if (refused) return refused;
    if (connection.isClosed) return NEW;
    connection.registration = registration;
    connection.guest = guest;
    connection.elector = elector;
    if (!(await lines.enter(connection, id))) {
      connection.gate.destroy();
      return NEW;
    }
    connection.before = await this.departures.arrive(connection, id);
    // From here on, the connection is found when its guest is revoked.
    if (guest && !this.parts.guests?.isValid(guest)) return WRONG_CREDENTIALS;
    if (registration === undefined) return this.enterSession(connection, connect);
    // The device may have been changed or removed after the door looked it up and before `onWrite` could find the connection.
    const kept = await this.parts.store.registry.get<Device>('devices', id);
    if (!update(connection, kept?.value)) return WRONG_CREDENTIALS;
    const entry = await this.enterSession(connection, connect);
    if (!connection.isClosed) statuses.seen(id);
    return entry;
  }

  /** Call when a connection has closed. */
  depart(connection: Connection): void {
    const { sessions, statuses } = this.parts;
    const { clientId: id = '', gate, session, registration } = connection;
    const { mqtt5 } = gate;
    this.departures.depart(connection);
    if (session) sessions.leave(id, session, mqtt5 && mqtt5.expirySeconds * 1_000);
    if (connection.hasDelayedWill) this.leaveWill(connection);
    if (registration !== undefined && connection.isAdmitted) statuses.seen(id);
  }

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

  /** Disconnects guests that were revoked, or whose credentials have expired. @param guest only this one */
  readonly checkGuests = (guest?: string): void => {
    const { connections, guests, lines } = this.parts;
    for (const connection of guest === undefined ? connections.guests() : lines.of(guest)) {
      if (!connection.guest || guests?.isValid(connection.guest)) continue;
      connection.because('removed');
      lines.end(connection);
    }
  };

  /** Disconnects devices whose secret has ended, although they have not used the one that replaces it. Call every second. */
  checkSecrets(): void {
    const { connections, lines } = this.parts;
    for (const connection of connections.withEndedSecret(Date.now())) {
      connection.because('removed');
      lines.end(connection);
    }
  }

  /** Enters the client’s session only now, because a client that was not admitted may not touch it. */
  private async enterSession(connection: Connection, connect: Connect): Promise<Entry> {
    if (connection.isClosed) return NEW;
    const [entry] = await Promise.all([
      this.continueSession(connection, connect),
      this.enterWill(connection, connect.isFresh),
    ]);
    return entry;
  }

  private async continueSession(connection: Connection, { clientId: id, isFresh, isClean }: Connect): Promise<Entry> {
    const { sessions } = this.parts;
    const { mqtt5 } = connection.gate;
    if (isClean) {
      await sessions.discard(id);
      return NEW;
    }
    const session = {
      connection: connection.number ?? 0,
      isFresh: mqtt5 !== undefined && isFresh,
      expiryMs: mqtt5 && mqtt5.expirySeconds * 1_000,
    };
    connection.session = session;
    if (!(await sessions.enter(id, session))) return NEW;
    const filters = await sessions.filters(id);
    mqtt5?.subscriptions.restore(filters);
    return { isSessionPresent: true, hasSubscriptions: filters.length > 0 };
  }

  /** Ends the wait of the device’s last will, and notes a new one that is to wait. */
  private async enterWill(connection: Connection, isFresh: boolean): Promise<void> {
    const { wills } = this.parts;
    const { clientId: id = '', gate, number = 0 } = connection;
    const will = gate.mqtt5?.delayedWill;
    await wills.arrive(id, {
      connection: number,
      isFresh,
      will: will && { payload: will.payload, delayMs: will.delaySeconds * 1_000 },
    });
    if (!will) return;
    if (connection.isClosed) this.leaveWill(connection);
    else connection.hasDelayedWill = true;
  }

  /** Lets the will wait, unless its device left without it, or was never let in. */
  private leaveWill({ clientId: id = '', gate: { mqtt5 }, number = 0, isAdmitted }: Connection): void {
    if (!mqtt5) return;
    this.parts.wills.leave(id, number, isAdmitted && mqtt5.left !== 'without will', mqtt5.expirySeconds * 1_000);
  }
}

function isRegistered({ registration }: Connection): boolean {
  return registration !== undefined;
}

/** Applies what is stored about a device to its connection. False if the registration that admitted it no longer exists. */
function update(connection: Connection, kept: Device | undefined): boolean {
  if (!kept || registrationOf(kept) !== connection.registration) return false;
  connection.elector = electorOf(kept);
  // A certificate does not end with the secret.
  connection.secretUntilMs = connection.certificate ? undefined : kept.next?.untilMs;
  return true;
}
