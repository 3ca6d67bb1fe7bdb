import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Context } from '../context.ts';

/** `/health`: the process answers. `/ready`: it can do its work, the store too. */
export function healthRoutes({ store, hub, log }: Context): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get('/health', { schema: { summary: 'Is the process alive', tags: ['operations'] } }, async () => ({
      status: 'ok',
      viewers: hub.size,
    }));

    app.get('/ready', { schema: { summary: 'Can it do its work', tags: ['operations'] } }, async (_request, reply) => {
      try {
        await store.counts.position(0);
        return { status: 'ready' };
      } catch (error) {
        log.warn({ err: error }, 'not ready: the store does not answer');
        return reply.code(503).send({ status: 'not ready', why: 'the store does not answer' });
      }
    });
  };
}
