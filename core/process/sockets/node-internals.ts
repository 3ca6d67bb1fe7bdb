import { createServer, type Server } from 'node:http';
import { Duplex } from 'node:stream';

/** The names, in Node.js 20 to 24, of the functions with which its HTTP server begins to serve a connection, and forgets one that has closed. */
const [SERVE, FORGET] = ['connectionListener', 'bound socketOnClose'];

/** What Node.js calls for each connection of an HTTP server, without TLS or once the handshake is done. */
export type Serve = (this: Server, socket: Duplex) => void;

/** The function with which a server serves connections; undefined if this version of Node.js calls it otherwise. */
export function serveOf(server: Pick<Server, 'listeners'>, event: string): Serve | undefined {
  return server.listeners(event).find(({ name }) => name === SERVE) as Serve | undefined;
}

/** The function with which the server forgets a connection; undefined if this version of Node.js calls it otherwise. */
export function forgetOf(socket: Pick<Duplex, 'listeners'>): (() => void) | undefined {
  return socket.listeners('close').find(({ name }) => name === FORGET) as (() => void) | undefined;
}

/** The names that are missing in this version of Node.js. Without them, streams cost more memory and time; everything else is the same. */
export function missingInternals(server = createServer()): string[] {
  const serve = serveOf(server, 'connection');
  if (!serve) return [SERVE as string];
  const socket = new Duplex({ read() {}, write: (_part, _encoding, done) => done() });
  serve.call(server, socket);
  const forget = forgetOf(socket);
  socket.on('error', () => {}).destroy();
  return forget ? [] : [FORGET as string];
}
