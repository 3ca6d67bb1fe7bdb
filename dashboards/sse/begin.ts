import type { Writable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../problem.ts';
import type { Hub } from './hub.ts';

/** Begins the answer to a request for a stream. @throws Problem when there can be none */
export function beginStream(request: FastifyRequest, reply: FastifyReply, hub: Hub): Writable {
  // A pipelined request has no line yet, and Node would never tell that it is gone.
  if (!reply.raw.socket) throw new Problem(400, 'pipelined', 'a stream needs a connection of its own');
  if (hub.isFull) throw new Problem(503, 'too-many-viewers', 'all places are taken; try again in a moment');
  reply.hijack();
  // Headers that plugins set for every answer belong on this one too; `hijack` skips them.
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value);
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  // A HEAD, or who only wants to know whether there is a stream, has its answer.
  if (request.method === 'HEAD') reply.raw.end();
  return reply.raw;
}
