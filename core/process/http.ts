import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { ByConnection } from './connections.ts';
import type { Descriptors } from './descriptors.ts';
import { withoutPrefix } from './prefix.ts';
import type { Tls } from './tls/tls.ts';
import type { WebOrigins } from './web-origins.ts';

/**
 * The maximum number of requests on one connection that wait for their answers. Beyond that, it is closed: answers behind one that
 * goes on stay in memory, and browsers send one request after another anyway.
 */
export const MAX_PIPELINED = 16;

/** Takes over a connection that asked for a protocol upgrade. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
export type Upgrades = Readonly<Record<string, Upgrade>>;

export interface HttpOptions {
  readonly host: string;
  /** 0 lets the system choose a port; see `HttpServer.port`. */
  readonly port: number;
  /** The handlers of upgrade requests, by path. */
  readonly upgrades?: Upgrades;
  /** The path under which a proxy serves Pollcast; see `withoutPrefix`. */
  readonly prefix?: string;
  readonly descriptors: Descriptors;
  /** The certificates of an app that was made with `secured`. */
  readonly tls?: Tls | undefined;
  /** Which web pages may ask for an upgrade; all if absent. */
  readonly webOrigins?: WebOrigins;
}

/** Options that make an app speak HTTPS if there are certificates. Browsers have none, so clients need not show any. */
export function secured(tls: Tls | undefined): object {
  return tls ? { https: tls.serverOptions(false) } : {};
}

/** A running HTTP app. */
export class HttpServer {
  private readonly app: FastifyInstance;

  private constructor(app: FastifyInstance) {
    this.app = app;
  }

  static async open(app: FastifyInstance, options: HttpOptions): Promise<HttpServer> {
    const { host, port, upgrades = {}, prefix = '', descriptors, tls, webOrigins } = options;
    descriptors.follow(app.server);
    tls?.follow(app.server);
    app.server.on('connection', (socket) => {
      if (!descriptors.areSpent) return;
      descriptors.refused('http');
      socket.destroy();
    });
    const unanswered = new ByConnection<ServerResponse>();
    app.server.prependListener('request', ({ socket }, response) => {
      // Browsers keep connections open in case they need them again, which they then must not.
      if (descriptors.areScarce) response.shouldKeepAlive = false;
      if (unanswered.during(response, socket, response) > MAX_PIPELINED) socket.destroy();
    });
    app.server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      const path = withoutPrefix(request.url ?? '', prefix).split('?')[0] ?? '';
      const upgrade = Object.hasOwn(upgrades, path) ? upgrades[path] : undefined;
      const problem = webOrigins?.problem(request);
      if (problem !== undefined) socket.end(refusalOf('403 Forbidden', problem));
      else if (upgrade) upgrade(request, socket, head);
      else socket.end(refusalOf('404 Not Found', 'there is nothing to upgrade to on this path'));
    });
    try {
      await app.listen({ host, port });
    } catch (error) {
      await app.close();
      throw error;
    }
    return new HttpServer(app);
  }

  get port(): number {
    return (this.app.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    await this.app.close();
  }
}

function refusalOf(status: string, why: string): string {
  return `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n\r\n${why}\n`;
}
