import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Tls } from '../core/process/tls/tls.ts';
import type { ClientCertificate } from '../core/process/tls/trust.ts';

/** The maximum number of handshakes under way. Beyond it, connections are closed, and devices try again. */
const MAX_HANDSHAKES = 4_096;

/** Takes over a connection when its handshake is done. */
type Done = (secure: TLSSocket, certificate: ClientCertificate | undefined) => void;

/**
 * Begins TLS on connections. Its server does not listen: connections are given to it, because those of proxies begin with a
 * header of the PROXY protocol, which comes before TLS.
 */
export class Handshakes {
  private readonly server: Server;
  private readonly underWay = new Map<string, Done>();
  private readonly onFailed: (why: string) => void;

  /** @param onFailed called with the reason for each connection that is closed because its handshake fails or takes too long */
  constructor(tls: Tls, onFailed: (why: string) => void) {
    this.onFailed = onFailed;
    this.server = createServer(tls.serverOptions(tls.demandsClients));
    tls.follow(this.server);
    this.server.on('tlsClientError', (error: Error & { readonly code?: string }, socket) => {
      socket.destroy();
      if (error.code !== 'ECONNRESET') onFailed(error.code ?? error.message);
    });
    this.server.on('secureConnection', (socket) => {
      const done = this.underWay.get(nameOf(socket));
      const certificate = tls.identify(socket);
      if (certificate === 'bad')
        onFailed(socket.authorizationError ? String(socket.authorizationError) : 'CERT_REVOKED');
      if (!done || certificate === 'bad') return void socket.destroy();
      this.underWay.delete(nameOf(socket));
      done(socket, certificate);
    });
  }

  begin(socket: Socket, done: Done): void {
    if (this.underWay.size >= MAX_HANDSHAKES) {
      this.onFailed(`${MAX_HANDSHAKES} handshakes are under way`);
      return void socket.destroy();
    }
    const name = nameOf(socket);
    this.underWay.set(name, done);
    socket.once('close', () => {
      if (this.underWay.get(name) === done) this.underWay.delete(name);
    });
    this.server.emit('connection', socket);
  }
}

/** Names a connection by both of its ends, which the TLS socket on top of it has as well. */
function nameOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
