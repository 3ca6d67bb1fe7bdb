import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { forgetOf } from '../../../core/process/sockets/node-internals.ts';
import { Refusal } from '../../../core/runtime/refusal.ts';
import { acceptsGzip } from '../../gzip.ts';
import { type Form, formOf } from '../frame.ts';
import type { Admitted, Asker, Hub } from '../hub.ts';
import { Head } from './head.ts';
import { isPlainHeader } from './plain-request.ts';

/** What only an HTTP server does on a connection, apart from `close`, which frees the parser. */
const HTTP_EVENTS = ['data', 'drain', 'end', 'error', 'timeout'] as const;

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
  const form = requestedForm(request);
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
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = new Head(`HTTP/1.1 200 ${STATUS_CODES[200]}\r\n${lines.join('')}`, form);
  const { url = '', config } = request.routeOptions;
  // What is limited apart must be counted here.
  if (config.perMinute === undefined && Object.keys(request.headers).every(isPlainHeader))
    hub.heads.set(url, form, head);
  response.detachSocket(socket);
  for (const event of HTTP_EVENTS) socket.removeAllListeners(event);
  takeOver(socket);
  // For everything else that follows the response, it is over.
  response.emit('close');
  leaveServer(socket, request.raw);
  return { socket, form, place, opening: head.opening(), way: 'server' };
}

/** Whatever else the client sends on the connection of a stream is read and dropped. */
export function takeOver(socket: Socket): void {
  socket.on('data', drop).on('end', onEnd).on('error', onError);
}

function drop(): void {}

function onEnd(this: Socket): void {
  this.end();
}

function onError(this: Socket): void {
  this.destroy();
}

/**
 * Frees what the HTTP server keeps of a connection until it closes: for the server, it has closed. Otherwise, the parser and the
 * request would cost as much memory as everything else that a viewer needs. Does nothing where that would end the stream: if another
 * request has arrived behind it, or if this version of Node.js works in another way, of which the log
 * says so at the start.
 */
function leaveServer(socket: Socket, request: IncomingMessage): void {
  const onClose = forgetOf(socket);
  if (!onClose) return;
  request.resume();
  // Not while the parser is at work, and once the request has ended, which is only noted in the next turn.
  setImmediate(() => {
    const { parser } = socket as Socket & { readonly parser?: { readonly incoming?: unknown } | null };
    if (socket.destroyed || !request.complete || !request.readableEnded || parser?.incoming !== request) return;
    socket.removeListener('close', onClose);
    onClose.call(socket);
  });
}

function requestedForm({ query, headers, raw }: FastifyRequest): Form {
  const { changes } = query as { changes?: string };
  const isChunked = raw.httpVersionMajor === 1 && raw.httpVersionMinor >= 1;
  return formOf({ isCompact: changes === 'compact', isGzip: acceptsGzip(headers['accept-encoding']), isChunked });
}
