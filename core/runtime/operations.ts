import fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { Readiness } from './readiness.ts';

/** What operators' tools ask a process. */
export interface Operations {
  readonly metrics: Registry;
  readonly readiness: Readiness;
}

/** `/health`: the process answers. `/ready`: it can do its work, the store too. `/metrics`: for Prometheus. */
export function operationsRoutes({ metrics, readiness }: Operations) {
  return async (app: FastifyInstance): Promise<void> => {
    const tags = ['operations'];
    app.get('/health', { schema: { summary: 'Is the process alive', tags } }, async () => ({ status: 'ok' }));

    app.get('/ready', { schema: { summary: 'Can it do its work', tags } }, async (_request, reply) => {
      const why = await readiness.problem();
      return why === undefined ? { status: 'ready' } : reply.code(503).send({ status: 'not ready', why });
    });

    app.get('/metrics', { schema: { summary: 'Figures for Prometheus', tags } }, async (_request, reply) => {
      reply.type(metrics.contentType);
      return metrics.metrics();
    });
  };
}

/** The HTTP app of a process that has nothing else to say. */
export async function operationsApp(operations: Operations): Promise<FastifyInstance> {
  const app = fastify({ logger: false, forceCloseConnections: true });
  await app.register(operationsRoutes(operations));
  return app;
}
