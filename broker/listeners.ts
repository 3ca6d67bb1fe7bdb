import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import type { Descriptors } from '../core/process/descriptors.ts';
import { refuseUpgrade } from '../core/process/http.ts';
import { clientAddress, Networks, networkOf } from '../core/process/networks.ts';
import type { Tls } from '../core/process/tls/tls.ts';
import { askEarly } from './accepting.ts';
import type { Arrivals } from './admission/arrivals.ts';
import type { Origin } from './connection/connection.ts';
import { parseProxyHeader } from './connection/wire/proxy-header.ts';
import type { Handshakes } from './handshakes.ts';

/** Time in ms after which an idle connection is probed, to detect devices that have vanished. */
const TCP_KEEPALIVE_MS = 60_000;
/** The maximum size of a WebSocket message, in bytes. A message may contain several MQTT packets or parts of them. */
const MAX_MESSAGE_BYTES = 64 * 1024;

/** Time limit in ms for a proxy to send the header of the PROXY protocol. */
const HEADER_LIMIT_MS = 5_000;
/** Time in ms for a client to close a WebSocket that was refused. Without a limit, one that never answers would keep its place. */
const REFUSED_LIMIT_MS = 1_000;

/** Takes over a connection; returns false if no more are accepted. */
export type Admit = (connection: Duplex, origin: Origin) => boolean;

export interface TcpOptions {
  /** 0: the operating system chooses one. */
  readonly port: number;
  readonly host: string;
  /** Addresses and networks of proxies, which must begin each connection with a header of the PROXY protocol. */
  readonly proxies: readonly string[];
  /** Proxies that speak for many clients: connections of their own are not limited by address. */
  readonly trusted: Networks;
  readonly descriptors: Descriptors;
  readonly arrivals: Arrivals;
  /** Begins TLS on each connection; undefined without TLS. */
  readonly handshakes?: Handshakes | undefined;
}

/** MQTT over TCP, with or without TLS. */
export class TcpListener {
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  static async open(admit: Admit, options: TcpOptions): Promise<TcpListener> {
    const { port, host, descriptors, trusted, arrivals, handshakes } = options;
    const announcing = new Networks(options.proxies);
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS });
    descriptors.follow(server);
    let isAskedEarly = false;
    server.on('connection', (socket: Socket) => {
      const { remoteAddress: address } = socket;
      const isAnnounced = address !== undefined && announcing.has(address);
      const enter = (stream: Socket, origin: Origin) => {
        if (!admit(stream, origin)) stream.destroy();
      };
      const take = (client: string | undefined, isProxy: boolean) => {
        const origin = originOf(client, isProxy);
        if ((isAnnounced || !isAskedEarly) && !arrivals.mayArrive(origin.network)) return void socket.destroy();
        if (!handshakes) return enter(socket, origin);
        if (descriptors.areScarce) {
          // The connection that has been in its handshake for longest makes room; if there is no other, the new one goes.
          const spare = handshakes.cutOldest('descriptors are scarce') ?? socket;
          descriptors.forget(spare.destroy());
          if (spare === socket) return descriptors.refused('mqtt');
        }
        handshakes.begin(socket, (secure, certificate) => enter(secure, { ...origin, certificate }));
      };
      if (isAnnounced) {
        readHeader(socket, (client) => take(client ?? address, client === undefined));
      } else take(address, isProxy(address, trusted));
    });
    server.listen({ port, host, backlog: 4096 });
    await once(server, 'listening');
    isAskedEarly = askEarly(server, (address) => {
      return announcing.has(address) || arrivals.mayArrive(originOf(address, isProxy(address, trusted)).network);
    });
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

export interface WebSocketOptions {
  /** Interval in ms at which clients are pinged. */
  readonly pingMs: number;
  /** Proxies whose X-Forwarded-For is trusted. */
  readonly trusted: Networks;
  readonly arrivals: Arrivals;
  readonly tls: Tls | undefined;
  /** Called when a connection is closed because of its certificate. */
  readonly onBadCertificate: () => void;
}

/** MQTT over WebSocket: handles upgrade requests to an HTTP server. */
export class WebSocketListener {
  private readonly server: WebSocketServer;
  private readonly admit: Admit;
  private readonly options: WebSocketOptions;

  constructor(admit: Admit, options: WebSocketOptions) {
    this.admit = admit;
    this.options = options;
    this.server = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      // The MQTT specification requires "mqtt" [MQTT-6.0.0-3]; old 3.1 clients offer "mqttv3.1".
      handleProtocols: (offered) => ['mqtt', 'mqttv3.1'].find((name) => offered.has(name)) ?? false,
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { pingMs, trusted, arrivals, tls, onBadCertificate } = this.options;
    const certificate = tls?.identify(socket);
    if (certificate === 'bad') {
      onBadCertificate();
      return void socket.destroy();
    }
    const address = clientAddress(request, trusted);
    // Proxies are often trusted by their whole network, which may be that of devices, too.
    const origin = originOf(address, address === request.socket.remoteAddress && isProxy(address, trusted));
    if (!arrivals.mayArrive(origin.network)) {
      return refuseUpgrade(
        socket,
        '429 Too Many Requests',
        'too many connections from this address; try again in a moment',
      );
    }
    this.server.handleUpgrade(request, socket, head, (webSocket) => {
      // This listener comes before that of the stream, which treats text like binary data.
      webSocket.on('message', (_data, isBinary) => {
        if (!isBinary) refuseText(webSocket, stream);
      });
      const stream = createWebSocketStream(webSocket);
      // Until a gate is attached, an error of the stream would be unhandled and end the process.
      stream.on('error', () => {});
      if (!this.admit(stream, { ...origin, request, certificate })) return refuse(webSocket);
      ping(webSocket, pingMs);
    });
  }

  close(): void {
    this.server.close();
  }
}

/** Where a connection comes from. That of a proxy may be any client’s, so it is not counted as one of its address. */
function originOf(address: string | undefined, isProxy: boolean): Origin {
  return { address, network: address === undefined || isProxy ? undefined : networkOf(address) };
}

function isProxy(address: string | undefined, trusted: Networks): boolean {
  return address !== undefined && trusted.has(address);
}

function refuse(webSocket: WebSocket): void {
  webSocket.close(1013, 'too many connections');
  const timer = setTimeout(() => webSocket.terminate(), REFUSED_LIMIT_MS);
  timer.unref();
  webSocket.once('close', () => clearTimeout(timer));
}

/** Closes a connection on which a text frame was received [MQTT-6.0.0-1]; what the frame contains is not read. */
function refuseText(webSocket: WebSocket, stream: Duplex): void {
  stream.removeAllListeners('data');
  webSocket.close(1003, 'MQTT needs binary frames');
  stream.destroy();
}

/**
 * Pings regularly, so that proxies do not close a connection that is idle. A client that has not sent anything since the last
 * ping, not even a pong, is gone.
 */
function ping(webSocket: WebSocket, everyMs: number): void {
  let isHeard = true;
  const heard = () => {
    isHeard = true;
  };
  webSocket.on('pong', heard).on('message', heard);
  const timer = setInterval(() => {
    if (!isHeard) return webSocket.terminate();
    isHeard = false;
    webSocket.ping();
  }, everyMs);
  webSocket.once('close', () => clearInterval(timer));
}

/** Reads the header of the PROXY protocol. Calls `done` with the client’s address, or closes the connection. */
function readHeader(socket: Socket, done: (client: string | undefined) => void): void {
  let bytes = Buffer.alloc(0);
  const ignore = () => {};
  const timer = setTimeout(() => socket.destroy(), HEADER_LIMIT_MS);
  const read = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    const header = parseProxyHeader(bytes);
    if (header === 'incomplete') return;
    if (header === 'malformed') return void socket.destroy();
    clearTimeout(timer);
    socket.off('data', read).pause();
    if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
    done(header.address);
    socket.off('error', ignore);
  };
  socket.on('error', ignore).on('data', read);
  socket.once('close', () => clearTimeout(timer));
}
