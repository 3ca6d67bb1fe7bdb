import type { Server } from 'node:net';

/** The parts of a listening server that Node.js uses for connections. Their names are not public. */
interface Listening {
  readonly _handle?: { onconnection?: (this: unknown, error: number, client?: Accepted) => void } | null;
}

/** A connection for which there is no socket yet. */
interface Accepted {
  getpeername?(into: { address?: string }): number;
  close(): void;
}

/**
 * Asks whether each new connection may stay before Node.js makes a socket for it, and closes it otherwise, which costs a fifth. Node.js
 * itself offers this only for a fixed list of addresses. Call this once the server is listening.
 *
 * @param mayStay called with the address that a connection comes from
 * @returns false where it does not work, in versions of Node.js that do it differently: then nobody is asked
 */
export function askEarly(server: Server, mayStay: (address: string) => boolean): boolean {
  const { _handle: handle } = server as Server & Listening;
  const accept = handle?.onconnection;
  if (!handle || typeof accept !== 'function') return false;
  handle.onconnection = function (error, client) {
    const peer: { address?: string } = {};
    client?.getpeername?.(peer);
    if (client && peer.address !== undefined && !mayStay(peer.address)) return client.close();
    accept.call(this, error, client);
  };
  return true;
}
