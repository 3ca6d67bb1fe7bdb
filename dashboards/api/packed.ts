import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { acceptsGzip } from '../gzip.ts';

/** Answers below this size (bytes) fit into one packet anyway. */
const MIN_PACKED = 1_400;

const compress = promisify(gzip);

/** Answers with JSON, compressed if that is worth it and the client accepts it. */
export async function packed(request: FastifyRequest, reply: FastifyReply, json: string): Promise<FastifyReply> {
  reply.type('application/json; charset=utf-8');
  reply.header('vary', ['accept-encoding', reply.getHeader('vary') ?? []].flat().join(', '));
  if (json.length < MIN_PACKED || !acceptsGzip(request.headers['accept-encoding'])) return reply.send(json);
  return reply.header('content-encoding', 'gzip').send(await compress(json));
}
