import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Descriptors } from './descriptors.ts';
import { withoutPrefix } from './prefix.ts';
import { ByConnection, endsOf } from './sockets/connections.ts';
import { FirstBytes, type TakeOver } from './sockets/first-bytes.ts';
import type { Tls } from './tls/tls.ts';
import type { WaitingSockets } from './waiting-sockets.ts';
import type { WebOrigins } from './web-origins.ts';

/**
 * The maximum number of requests on one connection that wait for their answers. Beyond that, it is closed: answers behind one that
 * goes on stay in memory, and browsers send one request after another anyway.
 */
export const MAX_PIPELINED = 16;

/** Takes over a connection that asked for a protocol upgrade. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
export type Upgrades = Readonly<Record<string, Upgrade>>;

/** How long (ms) the head of a request may take, a connection’s first included. Bodies have their own rule; see `WaitingSockets`. */
const HEAD_LIMIT_MS = 10_000;
/** How long (ms) a whole request may take, whatever its size and pace. */
const REQUEST_LIMIT_MS = 300_000;

/** How many listeners an event of an answer may have. */
const MAX_LISTENERS = 20;
/** Interval in ms between looks for slow clients. */
const CHECK_EVERY_MS = 1_000;

export interface HttpOptions {
  readonly host: string;
  /** 0 lets the system choose a port; see `HttpServer.port`. */
  readonly port: number;
  /** The handlers of upgrade requests, by path. */
  readonly upgrades?: Upgrades;
  /** The path under which a proxy serves Pollcast; see `withoutPrefix`. */
  readonly prefix?: string;
  readonly descriptors: Descriptors;
  /** The certificates of an app that was made with `serverOptions`. */
  readonly tls?: Tls | undefined;
  readonly sockets: WaitingSockets;
  /** Which web pages may ask for an upgrade; all if absent. */
  readonly webOrigins?: WebOrigins;
  /** Sees the first bytes of each connection, and may take it over from the server. */
  readonly takeOver?: TakeOver | undefined;
}

/** The options with which an app must be created. It speaks HTTPS if there are certificates; clients, such as browsers, need none. */
export function serverOptions(tls: Tls | undefined): object {
  const checking = { connectionsCheckingInterval: CHECK_EVERY_MS };
  return tls ? { https: { ...tls.serverOptions(false), ...checking } } : { http: checking };
}

/** A running HTTP app. */
export class HttpServer {
  private readonly app: FastifyInstance;
  /** Connections on which TLS has not begun yet, by their ends. */
  private readonly handshaking: ReadonlyMap<string, Socket>;
  private readonly first: FirstBytes | undefined;

  private constructor(app: FastifyInstance, handshaking: ReadonlyMap<string, Socket>, first: FirstBytes | undefined) {
    this.app = app;
    this.handshaking = handshaking;
    this.first = first;
  }

  static async open(app: FastifyInstance, options: HttpOptions): Promise<HttpServer> {
    const { host, port, upgrades = {}, prefix = '', descriptors, sockets, tls, webOrigins } = options;
    const { server } = app;
    server.headersTimeout = HEAD_LIMIT_MS;
    server.requestTimeout = REQUEST_LIMIT_MS;
    descriptors.follow(server);
    tls?.follow(server);
    sockets.follow(server);
    const handshaking = new Map<string, Socket>();
    server.on('connection', (socket) => {
      if (descriptors.areScarce) sockets.makeRoom();
      if (!descriptors.areSpent) {
        if (tls) {
          const ends = endsOf(socket);
          handshaking.set(ends, socket);
          socket.once('close', () => handshaking.delete(ends));
        }
        return sockets.add(socket);
      }
      descriptors.refused('http');
      socket.destroy();
      descriptors.forget(socket);
    });
    // With TLS, requests come over another socket, which there is once the handshake is done.
    server.on('secureConnection', (socket: Socket) => {
      const below = handshaking.get(endsOf(socket));
      handshaking.delete(endsOf(socket));
      if (below) sockets.release(below);
      sockets.add(socket, below);
    });
    const unanswered = new ByConnection<ServerResponse>();
    server.prependListener('request', ({ socket }, response) => {
      // Several parts follow each answer, and Node.js would warn of a leak.
      response.setMaxListeners(MAX_LISTENERS);
      // Browsers keep connections open in case they need them again, which they then must not.
      if (descriptors.areScarce) response.shouldKeepAlive = false;
      if (unanswered.during(response, socket, response) > MAX_PIPELINED) sockets.cut(socket, 'pipelined');
    });
    server.on('upgrade', (request, socket, head) => {
      sockets.release(request.socket);
      socket.on('error', () => socket.destroy());
      // Answers to requests before it would end up between the frames.
      if (unanswered.of(request.socket) > 0) return socket.destroy();
      const path = withoutPrefix(request.url ?? '', prefix).split('?')[0] ?? '';
      const upgrade = Object.hasOwn(upgrades, path) ? upgrades[path] : undefined;
      const problem = webOrigins?.problem(request);
      if (problem !== undefined) refuseUpgrade(socket, '403 Forbidden', problem);
      else if (upgrade) upgrade(request, socket, head);
      else refuseUpgrade(socket, '404 Not Found', 'there is nothing to upgrade to on this path');
    });
    const first = openFirstBytes(options, server);
    try {
      await app.listen({ host, port });
    } catch (error) {
      first?.close();
      await app.close();
      throw error;
    }
    return new HttpServer(app, handshaking, first);
  }

  get port(): number {
    return (this.app.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = this.app.close();
    // The server would wait for them, and does not know them.
    for (const socket of this.handshaking.values()) socket.destroy();
    this.first?.close();
    await closed;
  }
}

function openFirstBytes({ takeOver, tls, sockets }: HttpOptions, server: Server): FirstBytes | undefined {
  // What is cut because there are too many never gets a parser.
  const silentMs = sockets.trimmedAfterMs;
  return takeOver && FirstBytes.of(server, tls ? 'secureConnection' : 'connection', { takeOver, silentMs });
}

/** Answers a request for an upgrade, and closes the connection: nobody follows it any more. */
export function refuseUpgrade(socket: Duplex, status: string, why: string): void {
  const head = `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8`;
  socket.end(`${head}\r\n\r\n${why}\n`, () => socket.destroy());
}
