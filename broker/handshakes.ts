import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { endsOf } from '../core/process/sockets/connections.ts';
import type { Tls } from '../core/process/tls/tls.ts';
import type { ClientCertificate } from '../core/process/tls/trust.ts';

/** The maximum number of handshakes under way. Beyond it, the oldest is cut: an honest one takes milliseconds. */
const MAX_HANDSHAKES = 4_096;

/** Takes over a connection when its handshake is done. */
type Done = (secure: TLSSocket, certificate: ClientCertificate | undefined) => void;

interface UnderWay {
  readonly socket: Socket;
  readonly done: Done;
}

/**
 * Begins TLS on connections. Its server does not listen: connections are given to it, because those of proxies begin with a
 * header of the PROXY protocol, which comes before TLS.
 */
export class Handshakes {
  private readonly server: Server;
  private readonly underWay = new Map<string, UnderWay>();
  private readonly onFailed: (why: string) => void;
  private readonly most: number;

  /**
   * @param onFailed called with the reason for each connection that is closed because its handshake fails or takes too long
   * @param most only tests have another limit
   */
  constructor(tls: Tls, onFailed: (why: string) => void, most = MAX_HANDSHAKES) {
    this.onFailed = onFailed;
    this.most = most;
    this.server = createServer(tls.serverOptions(tls.demandsClients));
    tls.follow(this.server);
    this.server.on('tlsClientError', (error: Error & { readonly code?: string }, socket) => {
      socket.destroy();
      if (error.code !== 'ECONNRESET') onFailed(error.code ?? error.message);
    });
    this.server.on('secureConnection', (socket) => {
      const done = this.underWay.get(endsOf(socket))?.done;
      const certificate = tls.identify(socket);
      if (certificate === 'bad')
        onFailed(socket.authorizationError ? String(socket.authorizationError) : 'CERT_REVOKED');
      if (!done || certificate === 'bad') return void socket.destroy();
      this.underWay.delete(endsOf(socket));
      done(socket, certificate);
    });
  }

  begin(socket: Socket, done: Done): void {
    if (this.underWay.size >= this.most) this.cutOldest();
    const name = endsOf(socket);
    this.underWay.set(name, { socket, done });
    socket.once('close', () => {
      if (this.underWay.get(name)?.socket === socket) this.underWay.delete(name);
    });
    this.server.emit('connection', socket);
  }

  /** Closes the connection that has been in its handshake for longest, and returns it. */
  cutOldest(why = `${this.most} handshakes are under way, so the oldest was cut`): Socket | undefined {
    const [oldest] = this.underWay;
    if (!oldest) return undefined;
    const [name, { socket }] = oldest;
    this.underWay.delete(name);
    socket.destroy();
    this.onFailed(why);
    return socket;
  }

  /** Closes all connections in their handshakes. */
  close(): void {
    for (const { socket } of this.underWay.values()) socket.destroy();
  }
}
