import type { Connection } from '../connection/connection.ts';
import { GateError } from '../connection/gate-owner.ts';

/** How many connections without CONNECT there may be, if as many connections are allowed. */
const MOST = 5_000;
/** There may be so many, however few connections are allowed. */
const LEAST = 100;
/** Which part of them may come from one address. */
const SHARE_OF_ADDRESS = 0.8;
/** Why the oldest goes. Made once, because an error for each of thousands a second costs as much as closing them. */
const OF_ADDRESS = new GateError('too many connections from its address had sent no CONNECT');
const OF_ALL = new GateError('too many connections had sent no CONNECT');

/**
 * The connections on which no CONNECT has come. They take no place from devices: they have a budget of their own, and when it is
 * spent, the oldest of them goes, because a device sends CONNECT as soon as it is connected.
 */
export class Strangers {
  private readonly most: number;
  private readonly mostOfAddress: number;
  /** The oldest first. */
  private readonly all = new Set<Connection>();
  /** By address, the oldest first. */
  private readonly byNetwork = new Map<string, Set<Connection>>();

  /** @param maxConnections how many connections of devices are allowed */
  constructor(maxConnections: number) {
    this.most = Math.max(LEAST, Math.min(MOST, maxConnections));
    this.mostOfAddress = this.most * SHARE_OF_ADDRESS;
  }

  get size(): number {
    return this.all.size;
  }

  /** Adds a connection. If there are too many now, the oldest one goes: of the same address, if that has too many. */
  add(connection: Connection): void {
    this.all.add(connection);
    const mine = this.noted(connection);
    if (mine && mine.size > this.mostOfAddress) {
      const [oldest] = mine;
      this.send(oldest as Connection, OF_ADDRESS);
    } else if (this.all.size > this.most) this.sendOldest(OF_ALL);
  }

  /** Forgets a connection: CONNECT has come, or it has closed. */
  remove(connection: Connection): void {
    const { network } = connection;
    if (!this.all.delete(connection) || network === undefined) return;
    const mine = this.byNetwork.get(network);
    mine?.delete(connection);
    if (mine?.size === 0) this.byNetwork.delete(network);
  }

  /** Closes the oldest connection, and returns whether there was one. @param why for the log */
  sendOldest(why: GateError): boolean {
    const [oldest] = this.all;
    if (oldest) this.send(oldest, why);
    return oldest !== undefined;
  }

  private send(connection: Connection, why: GateError): void {
    this.remove(connection);
    connection.because('lost', 'stranger', why.message);
    connection.gate.destroy(why);
  }

  /** Notes a connection for its address. @returns all of the address, the oldest first; undefined if that is not known */
  private noted(connection: Connection): Set<Connection> | undefined {
    const { network } = connection;
    if (network === undefined) return undefined;
    const mine = this.byNetwork.get(network) ?? new Set();
    this.byNetwork.set(network, mine);
    return mine.add(connection);
  }
}
