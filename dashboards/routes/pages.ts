import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { isIdentifier } from '../../core/voting/identifier.ts';
import { Problem } from '../problem.ts';
import { PollParams } from '../schemas.ts';

/** Pages are served as they lie in the source tree: no build step, nothing fetched from elsewhere. */
const WEB = fileURLToPath(new URL('../../../dashboards/web/', import.meta.url));

/** The pages people look at. */
export function pageRoutes(): FastifyPluginAsyncTypebox {
  return async (app) => {
    await app.register(fastifyStatic, { root: WEB, prefix: '/web/', index: false, cacheControl: false });
    app.get('/screen/:poll', { schema: { hide: true, params: PollParams } }, async ({ params }, reply) => {
      if (!isIdentifier(params.poll)) throw new Problem(404, 'no-such-poll', 'no poll can have such an id');
      return reply.sendFile('screen/index.html');
    });
    app.get('/favicon.ico', { schema: { hide: true } }, async (_request, reply) => reply.sendFile('icon.svg'));
    app.get('/', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/docs', 302));
  };
}
