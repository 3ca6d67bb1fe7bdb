import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, BlockList, createServer, isIP, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import type { Descriptors } from '../core/process/descriptors.ts';
import type { Origin } from './connection/connection.ts';
import { parseProxyHeader } from './connection/wire/proxy-header.ts';

/** Time in ms after which an idle connection is probed, to detect devices that have vanished. */
const TCP_KEEPALIVE_MS = 60_000;
/** The maximum size of a WebSocket message, in bytes. A message may contain several MQTT packets or parts of them. */
const MAX_MESSAGE_BYTES = 64 * 1024;

/** Time limit in ms for a proxy to send the header of the PROXY protocol. */
const HEADER_LIMIT_MS = 5_000;

/** Takes over a connection; returns false if no more are accepted. */
export type Admit = (connection: Duplex, origin: Origin) => boolean;

export interface TcpOptions {
  /** 0: the operating system chooses one. */
  readonly port: number;
  readonly host: string;
  /** Addresses and networks of proxies, which must begin each connection with a header of the PROXY protocol. */
  readonly proxies: readonly string[];
  readonly descriptors: Descriptors;
}

/** MQTT over TCP. */
export class TcpListener {
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  static async open(admit: Admit, { port, host, proxies, descriptors }: TcpOptions): Promise<TcpListener> {
    const trusted = blockListOf(proxies);
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS });
    descriptors.follow(server);
    server.on('connection', (socket: Socket) => {
      const { remoteAddress: address } = socket;
      const take = (client: string | undefined) => {
        if (!admit(socket, { address: client })) socket.destroy();
      };
      if (address !== undefined && isListed(trusted, address)) readHeader(socket, (client) => take(client ?? address));
      else take(address);
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
  private readonly pingMs: number;

  /** @param pingMs interval in ms at which clients are pinged */
  constructor(admit: Admit, pingMs: number) {
    this.admit = admit;
    this.pingMs = pingMs;
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
      // This listener comes before that of the stream, which treats text like binary data.
      webSocket.on('message', (_data, isBinary) => {
        if (!isBinary) refuseText(webSocket, stream);
      });
      const stream = createWebSocketStream(webSocket);
      // Until a gate is attached, an error of the stream would be unhandled and end the process.
      stream.on('error', () => {});
      if (!this.admit(stream, { address: request.socket.remoteAddress, request })) {
        webSocket.close(1013, 'too many connections');
        return;
      }
      ping(webSocket, this.pingMs);
    });
  }

  close(): void {
    this.server.close();
  }
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

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/** True if an address is in a list. A socket that also accepts IPv6 has IPv4 addresses as `::ffff:10.0.0.7`. */
function isListed(list: BlockList, address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  return list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
}
