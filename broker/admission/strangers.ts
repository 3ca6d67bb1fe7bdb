import type { Connection } from '../connection/connection.ts';
import { GateError } from '../connection/gate-owner.ts';

/** How many connections without CONNECT there may be, if as many connections are allowed. */
const MOST = 5_000;
/** There may be so many, however few connections are allowed. */
const LEAST = 100;
/** Which part of them may come from one address. */
const SHARE_OF_ADDRESS = 0.8;

/**
 * The connections on which no CONNECT has come. They take no place from devices: they have a budget of their own, and when it is
 * spent, the oldest of them goes, because a device sends CONNECT as soon as it is connected.
 */
export class Strangers {
  private readonly most: number;
  private readonly mostOfAddress: number;
  /** The oldest first. */
  private readonly all = new Set<Connection>();
  private readonly byNetwork = new Map<string, number>();

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
    const { network } = connection;
    this.all.add(connection);
    if (network !== undefined && this.note(network, 1) > this.mostOfAddress) {
      const oldest = this.oldestOf(network);
      if (oldest) this.send(oldest, 'too many connections from its address had sent no CONNECT');
    } else if (this.all.size > this.most) this.sendOldest('too many connections had sent no CONNECT');
  }

  /** Forgets a connection: CONNECT has come, or it has closed. */
  remove(connection: Connection): void {
    if (this.all.delete(connection) && connection.network !== undefined) this.note(connection.network, -1);
  }

  /** Closes the oldest connection, and returns whether there was one. @param why for the log */
  sendOldest(why: string): boolean {
    const [oldest] = this.all;
    if (oldest) this.send(oldest, why);
    return oldest !== undefined;
  }

  private send(connection: Connection, why: string): void {
    this.remove(connection);
    connection.because('lost', 'stranger', why);
    connection.gate.destroy(new GateError(why));
  }

  private oldestOf(network: string): Connection | undefined {
    for (const connection of this.all) if (connection.network === network) return connection;
    return undefined;
  }

  /** @returns how many connections of the address there are now */
  private note(network: string, by: 1 | -1): number {
    const count = (this.byNetwork.get(network) ?? 0) + by;
    if (count > 0) this.byNetwork.set(network, count);
    else this.byNetwork.delete(network);
    return count;
  }
}
