import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { createApp } from './app.ts';
import type { Context } from './context.ts';

/** Takes over a connection that asked to speak another protocol. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface ServerOptions {
  readonly host: string;
  /** 0: the system chooses; see `DashboardServer.port`. */
  readonly port: number;
  /** What to do with upgrade requests, by path. */
  readonly upgrades: Readonly<Record<string, Upgrade>>;
}

/** Runs the HTTP app. */
export class DashboardServer {
  readonly name = 'dashboards';
  private readonly context: Context;
  private readonly options: ServerOptions;
  private app: FastifyInstance | undefined;

  constructor(context: Context, options: ServerOptions) {
    this.context = context;
    this.options = options;
  }

  /** The port once started. */
  get port(): number {
    return (this.app?.server.address() as AddressInfo | undefined)?.port ?? 0;
  }

  async start(): Promise<void> {
    const app = await createApp(this.context);
    this.app = app;
    // Open streams would keep the server from closing: they are ended first.
    app.addHook('preClose', () => this.context.hub.stop());
    app.server.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
    await this.context.hub.start();
    await app.listen({ host: this.options.host, port: this.options.port });
  }

  async stop(): Promise<void> {
    await this.app?.close();
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const path = (request.url ?? '').split('?')[0] ?? '';
    const upgrade = Object.hasOwn(this.options.upgrades, path) ? this.options.upgrades[path] : undefined;
    if (upgrade) upgrade(request, socket, head);
    else socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n');
  }
}
