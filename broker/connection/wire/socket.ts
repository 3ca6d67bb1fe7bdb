import type { Duplex } from 'node:stream';
import { readTogether } from './read-buffer.ts';

/** What becomes of the events of a socket. */
export interface Guard {
  /** @param chunk what was read; the memory is used again once this returns, so what is kept must be copied */
  receive(chunk: Buffer): void;
  ended(): void;
  lost(error: Error | null): void;
}

interface Guarded {
  guard?: Guard;
}

/**
 * Passes the events of a socket on. All sockets share these handlers, because handlers of their own would be most of what an idle
 * connection costs.
 */
export function guard(socket: Duplex, by: Guard): void {
  (socket as Duplex & Guarded).guard = by;
  readTogether(socket, onData);
  socket.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  // A socket that was read before, for a header of the PROXY protocol, was paused after it.
  socket.resume();
}

function onData(this: Duplex & Guarded, chunk: Buffer): void {
  this.guard?.receive(chunk);
}

function onEnd(this: Duplex & Guarded): void {
  this.guard?.ended();
}

function onError(this: Duplex & Guarded, error: Error): void {
  this.guard?.lost(error);
}

function onClose(this: Duplex & Guarded): void {
  this.guard?.lost(null);
}
