import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { every } from '../../waiting/pause.ts';
import { Spells } from '../../waiting/spells.ts';
import { type Serve, serveOf } from './node-internals.ts';

/** Interval in ms between looks for silent connections. */
const LOOK_EVERY_MS = 500;

/**
 * Takes a connection over before the HTTP server knows it.
 *
 * @param first the first bytes that have arrived on it
 * @returns whether it did; otherwise, the HTTP server gets the connection and these bytes
 */
export type TakeOver = (socket: Socket, first: Buffer) => boolean;

interface FirstBytesParts {
  readonly takeOver: TakeOver;
  /** How long (ms) a connection may be silent before the HTTP server gets it, which has limits of its own. */
  readonly silentMs: number;
}

/**
 * Shows the first bytes of each connection to somebody who may take it over, before the HTTP server spends a parser and its objects
 * on it: these would cost more than the connection itself.
 */
export class FirstBytes {
  private readonly server: Server;
  private readonly serve: Serve;
  private readonly takeOver: TakeOver;
  private readonly silentMs: number;
  /** Connections on which nothing has arrived, and since when (`performance.now()`); the oldest first. */
  private readonly silent = new Map<Socket, number>();
  private readonly spells = new Spells();
  private isHandingOver = false;
  private readonly halt = new AbortController();
  private readonly onData: (this: Socket, bytes: Buffer) => void;

  private constructor(server: Server, serve: Serve, { takeOver, silentMs }: FirstBytesParts) {
    this.server = server;
    this.serve = serve;
    this.takeOver = takeOver;
    this.silentMs = silentMs;
    const decide = (socket: Socket, bytes: Buffer) => this.decide(socket, bytes);
    // One function for all connections, because there are many.
    this.onData = function onData(bytes) {
      decide(this, bytes);
    };
    every(LOOK_EVERY_MS, this.halt.signal, () => this.look());
  }

  /**
   * Follows a server. Call this after everybody else listens for its connections.
   *
   * @param event `secureConnection` with TLS
   * @returns undefined if this version of Node.js serves connections in another way: then the server gets all of them
   */
  static of(server: Server, event: 'connection' | 'secureConnection', parts: FirstBytesParts): FirstBytes | undefined {
    const serve = serveOf(server, event);
    if (!serve) return undefined;
    server.removeListener(event, serve);
    const first = new FirstBytes(server, serve, parts);
    server.on(event, (socket: Socket) => first.add(socket));
    return first;
  }

  /** Closes the connections on which nothing has arrived: the server does not know them. */
  close(): void {
    this.halt.abort();
    for (const socket of this.silent.keys()) socket.destroy();
    this.silent.clear();
  }

  private add(socket: Socket): void {
    // It may have been refused already.
    if (socket.destroyed) return;
    this.silent.set(socket, performance.now());
    socket.on('data', this.onData).on('end', onEnd).on('error', onError);
  }

  private decide(socket: Socket, bytes: Buffer): void {
    this.release(socket);
    if (this.takeOver(socket, bytes)) return;
    this.serve.call(this.server, socket);
    socket.emit('data', bytes);
  }

  private look(): void {
    if (this.isHandingOver) return;
    this.isHandingOver = true;
    void this.spells.do(this.handOver()).finally(() => {
      this.isHandingOver = false;
    });
  }

  /** Not all in one turn: a parser takes a tenth of a millisecond and more, and there may be thousands. */
  private *handOver(): Generator<void> {
    for (const [socket, sinceMs] of this.silent) {
      if (sinceMs > performance.now() - this.silentMs) return;
      this.release(socket);
      if (!socket.destroyed) this.serve.call(this.server, socket);
      yield;
    }
  }

  private release(socket: Socket): void {
    this.silent.delete(socket);
    socket.removeListener('data', this.onData).removeListener('end', onEnd).removeListener('error', onError);
  }
}

/** The sockets of an HTTP server stay half open otherwise. */
function onEnd(this: Socket): void {
  this.end();
}

/** Node.js destroys a socket that fails, but throws if nobody listens. */
function onError(): void {}
