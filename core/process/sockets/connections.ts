import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Things that belong to connections, such as answers under way, and are forgotten with them. Node emits no `close` for an answer
 * that is still queued behind another one when its connection closes.
 */
export class ByConnection<T> {
  private readonly bySocket = new Map<Socket, Set<T>>();
  private readonly onClose: (this: Socket) => void;

  constructor() {
    const { bySocket } = this;
    // One function for all connections: one of each would keep the first thing until the connection closes.
    this.onClose = function onClose() {
      bySocket.delete(this);
    };
  }

  /**
   * Adds something until a response on the connection is over, unless the connection is closed already.
   *
   * @returns how many things the connection now has
   */
  during(response: ServerResponse, socket: Socket, one: T): number {
    response.once('close', () => this.delete(socket, one));
    if (socket.destroyed) return 0;
    const known = this.bySocket.get(socket);
    // The set stays until the connection closes, so that a connection with many requests has one listener.
    const all = known ?? new Set();
    if (!known) {
      this.bySocket.set(socket, all);
      socket.on('close', this.onClose);
    }
    return all.add(one).size;
  }

  delete(socket: Socket, one: T): void {
    this.bySocket.get(socket)?.delete(one);
  }

  /** How many things a connection has. */
  of(socket: Socket): number {
    return this.bySocket.get(socket)?.size ?? 0;
  }

  get size(): number {
    let size = 0;
    for (const all of this.bySocket.values()) size += all.size;
    return size;
  }

  *[Symbol.iterator](): Generator<T> {
    for (const all of this.bySocket.values()) yield* all;
  }
}

/** Names a connection by both of its ends, which the TLS socket on top of it has as well. */
export function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
