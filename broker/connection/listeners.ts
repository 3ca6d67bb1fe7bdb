import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocketServer } from 'ws';

/** Time in ms after which an idle connection is probed, to detect devices that have vanished. */
const TCP_KEEPALIVE_MS = 60_000;
/** The maximum size of a WebSocket message, in bytes. A message may contain several MQTT packets or parts of them. */
const MAX_MESSAGE_BYTES = 64 * 1024;

/** Takes over a connection; returns false if no more are accepted. */
export type Admit = (connection: Duplex, request?: IncomingMessage) => boolean;

/** MQTT over TCP. */
export class TcpListener {
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  /** Starts listening. @param port 0: the operating system chooses one */
  static async open(admit: Admit, port: number, host: string): Promise<TcpListener> {
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS });
    server.on('connection', (socket: Socket) => {
      if (!admit(socket)) socket.destroy();
    });
    server.listen({ port, host, backlog: 4096 });
    await once(server, 'listening');
    return new TcpListener(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Stops accepting connections; existing ones stay open. */
  close(): void {
    this.server.close();
  }
}

/** MQTT over WebSocket: handles upgrade requests to an HTTP server. */
export class WebSocketListener {
  private readonly server: WebSocketServer;
  private readonly admit: Admit;

  constructor(admit: Admit) {
    this.admit = admit;
    this.server = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      // The MQTT specification requires "mqtt" [MQTT-6.0.0-3]; old 3.1 clients offer "mqttv3.1".
      handleProtocols: (offered) => ['mqtt', 'mqttv3.1'].find((name) => offered.has(name)) ?? false,
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.server.handleUpgrade(request, socket, head, (webSocket) => {
      const stream = createWebSocketStream(webSocket);
      // Until a gate is attached, an error of the stream would be unhandled and end the process.
      stream.on('error', () => {});
      if (!this.admit(stream, request)) webSocket.close(1013, 'too many connections');
    });
  }

  close(): void {
    this.server.close();
  }
}
