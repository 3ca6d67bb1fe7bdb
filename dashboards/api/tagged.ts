import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Answers with JSON that was encoded before; with 304 and nothing if the client already has it [RFC 9110, 13.1.2]. The answer
 * depends on who asks, and may change at any moment, so it may be kept but must be asked for again each time.
 */
export function sendTagged(request: FastifyRequest, reply: FastifyReply, json: string, etag: string): FastifyReply {
  const varies = [reply.getHeader('vary'), 'authorization'].flat().filter((one) => one !== undefined);
  reply.header('etag', etag).header('cache-control', 'private, no-cache').header('vary', varies.join(', '));
  if (hasTag(request.headers['if-none-match'], etag)) return reply.code(304).send();
  return reply.type('application/json; charset=utf-8').send(json);
}

/** Whether `If-None-Match` names the tag. A proxy that compresses may have made it a weak one. */
function hasTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
}
