import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../../core/runtime/refusal.ts';
import { acceptsGzip } from '../gzip.ts';
import { type Form, streamStart } from './frame.ts';
import type { Admitted, Asker, Hub } from './hub.ts';

/** What only an HTTP server does on a connection. The listener of `close` stays, because it frees the parser. */
const HTTP_EVENTS = ['data', 'drain', 'error', 'timeout'] as const;

/**
 * Starts the response to a request for a stream, and takes the connection over from the HTTP server, whose objects would cost more
 * than the frames. Each frame is a chunk, because clients that read so many bytes at a time (Python’s requests) hand on a chunk
 * when it arrives, but wait for that many bytes of a body without chunks.
 *
 * @param asker who asks, apart from the address
 * @returns undefined if there is nothing to stream: the client has left, or a HEAD request checks that the stream exists
 * @throws Refusal pipelined, too-many-viewers, too-many-streams, no-such-room
 */
export function startStream(
  request: FastifyRequest,
  reply: FastifyReply,
  hub: Hub,
  asker: Omit<Asker, 'address'>,
): Admitted | undefined {
  const response = reply.raw;
  const { socket } = response;
  // A pipelined request has no socket yet, so Node would never notice that the client disconnected.
  if (!socket)
    throw new Refusal('pipelined', 'a stream needs its own connection: this request is pipelined behind another one');
  // The client left while its audience was looked up. A viewer on a closed connection would never be removed.
  if (socket.destroyed) {
    reply.hijack();
    return undefined;
  }
  const place = request.method === 'HEAD' ? undefined : hub.admit({ ...asker, address: request.ip }, socket);
  const form = formOf(request);
  reply.headers({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    connection: 'close',
    vary: ['accept-encoding', reply.getHeader('vary') ?? []].flat().join(', '),
    ...(form.isChunked ? { 'transfer-encoding': 'chunked' } : {}),
    ...(form.isGzip ? { 'content-encoding': 'gzip' } : {}),
  });
  reply.hijack();
  const headers = reply.getHeaders();
  if (!place) {
    // `hijack` skips the headers that plugins set on every response.
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value);
    response.end();
    return undefined;
  }
  response.detachSocket(socket);
  takeOver(socket);
  // The head, and what the viewer gets at once, leave together.
  socket.cork();
  setImmediate(() => socket.uncork());
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const date = `date: ${new Date().toUTCString()}\r\n`;
  socket.write(`HTTP/1.1 200 ${STATUS_CODES[200]}\r\n${lines.join('')}${date}\r\n`, 'latin1');
  socket.write(streamStart(form));
  // For everything else that follows the response, it is over.
  response.emit('close');
  return { socket, form, place };
}

/** Whatever else the client sends on this connection is read and dropped. */
function takeOver(socket: Socket): void {
  for (const event of HTTP_EVENTS) socket.removeAllListeners(event);
  socket.on('data', drop);
}

function drop(): void {}

function formOf({ query, headers, raw }: FastifyRequest): Form {
  const { changes } = query as { changes?: string };
  const isChunked = raw.httpVersionMajor === 1 && raw.httpVersionMinor >= 1;
  return { isCompact: changes === 'compact', isGzip: acceptsGzip(headers['accept-encoding']), isChunked };
}
