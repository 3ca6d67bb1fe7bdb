import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocketServer } from 'ws';

/** Probing an idle connection after this long finds devices that vanished without a word, ms. */
const TCP_KEEPALIVE_MS = 60_000;
/** The largest WebSocket message, bytes; it may hold several MQTT packets or parts of them. */
const MAX_MESSAGE_BYTES = 64 * 1024;

/** Takes a connection over; returns false when there is no room for it. */
export type Admit = (connection: Duplex, request?: IncomingMessage) => boolean;

/** MQTT over TCP. */
export class TcpListener {
  private readonly server: Server;

  constructor(admit: Admit) {
    this.server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS });
    this.server.on('connection', (socket: Socket) => {
      if (!admit(socket)) socket.destroy();
    });
  }

  /** Listens; resolves with the port, which is chosen by the system when `port` is 0. */
  async listen(port: number, host: string): Promise<number> {
    this.server.listen({ port, host, backlog: 4096 });
    await once(this.server, 'listening');
    return (this.server.address() as { port: number }).port;
  }

  /** Accepts no more connections; those that exist stay. */
  close(): void {
    if (this.server.listening) this.server.close();
  }
}

/** MQTT over WebSocket: takes upgrade requests from an HTTP server that somebody else runs. */
export class WebSocketListener {
  private readonly server: WebSocketServer;
  private readonly admit: Admit;

  constructor(admit: Admit) {
    this.admit = admit;
    this.server = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      // The MQTT specification wants "mqtt" [MQTT-6.0.0-3]; old 3.1 clients say "mqttv3.1".
      handleProtocols: (offered) => ['mqtt', 'mqttv3.1'].find((name) => offered.has(name)) ?? false,
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.server.handleUpgrade(request, socket, head, (webSocket) => {
      const stream = createWebSocketStream(webSocket);
      // Until a gate listens, an error here would be nobody's and end the process.
      stream.on('error', () => {});
      if (!this.admit(stream, request)) webSocket.close(1013, 'too many connections');
    });
  }

  close(): void {
    this.server.close();
  }
}
