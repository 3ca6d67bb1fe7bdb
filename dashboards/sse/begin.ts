import type { Writable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../../core/runtime/refusal.ts';
import type { Hub } from './hub.ts';

/** Starts the response to a request for a stream. @throws Refusal pipelined, too-many-viewers */
export function startStream(request: FastifyRequest, reply: FastifyReply, hub: Hub): Writable {
  // A pipelined request has no socket yet, so Node would never notice that the client disconnected.
  if (!reply.raw.socket)
    throw new Refusal('pipelined', 'a stream needs its own connection: this request is pipelined behind another one');
  if (hub.isFull) throw new Refusal('too-many-viewers', 'there are too many viewers at the moment; try again shortly');
  reply.hijack();
  // `hijack` skips the headers that plugins set on every response, so copy them.
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value);
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  // A HEAD request only checks that the stream exists.
  if (request.method === 'HEAD') reply.raw.end();
  return reply.raw;
}
