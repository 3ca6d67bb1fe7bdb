import type { FastifyReply, FastifyRequest } from 'fastify';
import { packed } from './packed.ts';

/**
 * Answers with JSON that was encoded before; with 304 and nothing if the client already has it [RFC 9110, 13.1.2]. The answer
 * depends on who asks, and may change at any moment. So what is public may be kept but must be asked for again each time; anything
 * else may not be kept (`no-store`, as everywhere in the API). The tag is weak, because the compressed answer has the same.
 */
export async function sendTagged(
  request: FastifyRequest,
  reply: FastifyReply,
  { json, etag, isPublic }: { readonly json: string; readonly etag: string; readonly isPublic: boolean },
): Promise<FastifyReply> {
  const varies = [reply.getHeader('vary'), 'authorization'].flat().filter((one) => one !== undefined);
  reply.header('etag', `W/${etag}`).header('vary', varies.join(', '));
  if (isPublic) reply.header('cache-control', 'private, no-cache');
  if (hasTag(request.headers['if-none-match'], etag)) return reply.code(304).send();
  return packed(request, reply, json);
}

/** Whether `If-None-Match` names the tag, weak or not. */
function hasTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
}
