import type { Connection } from '../connection/connection.ts';

/** The part of all places that one address may have, unless a setting says how many. */
const SHARE_OF_ADDRESS = 0.8;
/** The part of all places that only registered devices get. */
const RESERVED = 0.1;

export interface PlaceLimits {
  /** How many connections of devices are allowed. */
  readonly most: number;
  /** How many of them may come from one address. */
  readonly mostOfAddress: number | undefined;
  /** False if no device is registered, so that none can be preferred. */
  readonly hasRegistered: boolean;
}

/**
 * The places for connections of devices. A client gets one on trial when CONNECT has come, and keeps it once it has been let in.
 * Those on trial are as limited as the others but counted apart, so that clients that cannot be let in take no place from devices.
 */
export class Places {
  private readonly limits: PlaceLimits;
  private readonly mostOfAddress: number;
  private readonly reserved: number;
  private arriving = 0;
  private taken = 0;
  private readonly byNetwork = new Map<string, number>();
  /** By client id, the connection that limits do not hold for: one, because its id is only claimed so far. */
  private readonly returning = new Map<string, Connection>();

  constructor(limits: PlaceLimits) {
    this.limits = limits;
    this.mostOfAddress = limits.mostOfAddress ?? Math.ceil(limits.most * SHARE_OF_ADDRESS);
    this.reserved = limits.hasRegistered ? Math.floor(limits.most * RESERVED) : 0;
  }

  /**
   * Gives a client a place on trial, or returns the reason for refusing it.
   *
   * @param isReturning true if a connection of the same device is open, which the new one will replace
   */
  arrive(connection: Connection, isReturning: boolean): 'full' | 'address' | undefined {
    const { network, clientId = '' } = connection;
    const ofAddress = network === undefined ? 0 : (this.byNetwork.get(network) ?? 0);
    const isExempt = isReturning && !this.returning.has(clientId);
    if (!isExempt && ofAddress >= this.mostOfAddress) return 'address';
    if (!isExempt && this.arriving >= this.limits.most) return 'full';
    if (isExempt) this.returning.set(clientId, connection);
    if (network !== undefined) this.byNetwork.set(network, ofAddress + 1);
    this.arriving++;
    connection.place = 'arriving';
    return undefined;
  }

  /** Lets a client that is on trial keep its place. False if all are taken, or the last ones are reserved for registered devices. */
  take(connection: Connection, isRegistered: boolean, isReturning: boolean): boolean {
    const most = this.limits.most - (isRegistered ? 0 : this.reserved);
    if (!isReturning && this.taken >= most) return false;
    this.arriving--;
    this.taken++;
    connection.place = 'taken';
    this.forget(connection);
    return true;
  }

  /** Call when a connection has closed. */
  leave(connection: Connection): void {
    const { place, network } = connection;
    if (place === 'none') return;
    if (place === 'taken') this.taken--;
    else this.arriving--;
    connection.place = 'none';
    this.forget(connection);
    if (network === undefined) return;
    const left = (this.byNetwork.get(network) ?? 0) - 1;
    if (left > 0) this.byNetwork.set(network, left);
    else this.byNetwork.delete(network);
  }

  private forget(connection: Connection): void {
    const { clientId = '' } = connection;
    if (this.returning.get(clientId) === connection) this.returning.delete(clientId);
  }
}
