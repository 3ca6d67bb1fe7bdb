import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';

/** Takes over a connection that asked to speak another protocol. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface HttpOptions {
  readonly host: string;
  /** 0: the system chooses; see `HttpServer.port`. */
  readonly port: number;
  /** What to do with upgrade requests, by path. */
  readonly upgrades: Readonly<Record<string, Upgrade>>;
}

/** Runs an HTTP app. */
export class HttpServer {
  readonly name = 'http';
  private readonly createApp: () => Promise<FastifyInstance>;
  private readonly options: HttpOptions;
  private app: FastifyInstance | undefined;

  constructor(createApp: () => Promise<FastifyInstance>, options: HttpOptions) {
    this.createApp = createApp;
    this.options = options;
  }

  /** The port once started. */
  get port(): number {
    return (this.app?.server.address() as AddressInfo | undefined)?.port ?? 0;
  }

  async start(): Promise<void> {
    const app = await this.createApp();
    this.app = app;
    app.server.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
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
