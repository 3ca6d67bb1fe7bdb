import type { Allowance } from '../../core/waiting/allowance.ts';
import { Allowances } from '../../core/waiting/allowances.ts';
import type { Connection } from '../connection/connection.ts';
import type { SharedPace } from '../connection/flow/pace.ts';
import { CODE } from '../connection/mqtt5/codes.ts';
import type { Arrivals } from './arrivals.ts';
import { CONNACK, type DoorRefusal } from './door.ts';
import { Guesses } from './guesses.ts';
import { type PlaceLimits, Places } from './places.ts';
import { Strangers } from './strangers.ts';

/** Maximum time in ms for which CONNECT waits. One that would have to wait for longer is refused. */
const MAX_WAIT_MS = 10_000;
/** How often one device may connect, at once and then per second. A device that loses its line comes back once in a while. */
const OF_DEVICE = { burst: 60, perSecond: 5 };
/** How many times as many CONNECT packets as per second one address may send at once. */
const BURST = 2;

const { unavailable } = CONNACK;
const FULL: DoorRefusal = {
  ...{ code: unavailable, code5: CODE.busy, as: 'full' },
  why: 'all places for devices are taken',
};
const ADDRESS_FULL: DoorRefusal = {
  ...{ code: unavailable, code5: CODE.quota, as: 'address' },
  why: 'too many connections from this address',
};
const TOO_OFTEN: DoorRefusal = {
  ...{ code: unavailable, code5: CODE.connectionRate, as: 'rate' },
  why: 'too many attempts to connect; wait before the next one',
};
const GUESSING: DoorRefusal = {
  ...{ code: unavailable, code5: CODE.connectionRate, as: 'guessing' },
  why: 'too many wrong secrets; wait before the next attempt',
};

interface EntranceParts extends PlaceLimits {
  readonly arrivals: Arrivals;
  /** How many CONNECT packets a second are answered for one address; 0 if it does not matter. */
  readonly connectsPerSecond: number;
  readonly pace: SharedPace;
  /** True if a device is connected to this broker. */
  isConnected(device: string): boolean;
  /** Called when a client has to wait because there are too many. */
  slowed(connection: Connection): void;
}

/**
 * What stands between a socket and a place: so many sockets and CONNECT packets as come from one address, devices of other
 * addresses still get in. Clients that are too fast wait first, and are refused if the wait would be long.
 */
export class Entrance {
  readonly strangers: Strangers;
  private readonly parts: EntranceParts;
  private readonly places: Places;
  private readonly guesses = new Guesses();
  private readonly ofAddress: Allowances | undefined;
  private readonly ofDevice = new Allowances(OF_DEVICE);

  constructor(parts: EntranceParts) {
    const { connectsPerSecond: perSecond } = parts;
    this.parts = parts;
    this.strangers = new Strangers(parts.most);
    this.places = new Places(parts);
    this.ofAddress = perSecond > 0 ? new Allowances({ burst: perSecond * BURST, perSecond }) : undefined;
  }

  /** Call when CONNECT has come. Resolves when it may be answered, or with the reason for a refusal. */
  async arrive(connection: Connection): Promise<DoorRefusal | undefined> {
    this.strangers.remove(connection);
    const missing = this.places.arrive(connection, this.isReturning(connection));
    if (missing) return missing === 'full' ? FULL : ADDRESS_FULL;
    const { network } = connection;
    const own = network === undefined ? undefined : this.ofAddress?.of(network, performance.now());
    // Only who has waited for its own turn joins the line of all, so that one address cannot fill it.
    const isInTime =
      (await this.waits(own, connection)) && (await this.waits(this.parts.pace.allowance('connect'), connection));
    return isInTime ? undefined : TOO_OFTEN;
  }

  /** Call when the credentials of a client were right. Resolves when it may be let in, or with the reason for a refusal. */
  async admit(connection: Connection, device: string, isRegistered: boolean): Promise<DoorRefusal | undefined> {
    if (!(await this.waits(this.ofDevice.of(device, performance.now()), connection))) return TOO_OFTEN;
    if (connection.isClosed) return undefined;
    if (!this.places.take(connection, isRegistered, this.isReturning(connection))) return FULL;
    this.parts.arrivals.letIn(connection.network);
    return undefined;
  }

  /** Call with the refusal of a client. Resolves when it may be answered, with the answer. */
  async refuse(connection: Connection, refusal: DoorRefusal): Promise<DoorRefusal> {
    // A whole hall may come back at once after its guests were revoked, and must learn to join anew.
    if (refusal.code !== CONNACK.badCredentials || refusal.wereRight) return refusal;
    const delayMs = this.guesses.delayOf(connection.network, connection.clientId ?? '', performance.now());
    if (delayMs === undefined) return GUESSING;
    if (delayMs > 0) await wait(delayMs);
    return refusal;
  }

  /** Call when a connection has closed. */
  leave(connection: Connection): void {
    this.strangers.remove(connection);
    this.places.leave(connection);
  }

  private isReturning({ clientId = '' }: Connection): boolean {
    return this.parts.isConnected(clientId);
  }

  /** Resolves with true when a CONNECT may go on, and at once with false if it would have to wait for too long. */
  private async waits(allowance: Allowance | undefined, connection: Connection): Promise<boolean> {
    if (!allowance || connection.isClosed) return true;
    const waitMs = allowance.take(1, performance.now());
    if (waitMs === 0) return true;
    if (waitMs > MAX_WAIT_MS) {
      allowance.giveBack(1);
      return false;
    }
    this.parts.slowed(connection);
    await wait(waitMs);
    return true;
  }
}

/** Thousands wait at once, so nothing is woken when the broker stops: their connections are closed, which they notice later. */
function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
