import fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { secured } from './http.ts';
import type { Readiness } from './readiness.ts';
import type { Tls } from './tls/tls.ts';

/** What the monitoring endpoints report. */
export interface Operations {
  readonly metrics: Registry;
  readonly readiness: Readiness;
}

/** `/health`: the process is alive. `/ready`: the process and its store are ready for work. `/metrics`: Prometheus metrics. */
export function operationsRoutes({ metrics, readiness }: Operations) {
  return async (app: FastifyInstance): Promise<void> => {
    const tags = ['operations'];
    app.get('/health', { schema: { summary: 'Whether the process is alive', tags } }, async () => ({ status: 'ok' }));

    app.get(
      '/ready',
      { schema: { summary: 'Whether the process is ready for work', tags } },
      async (_request, reply) => {
        const why = await readiness.problem();
        return why === undefined ? { status: 'ready' } : reply.code(503).send({ status: 'not ready', why });
      },
    );

    app.get('/metrics', { schema: { summary: 'Metrics for Prometheus', tags } }, async (_request, reply) => {
      reply.type(metrics.contentType);
      return metrics.metrics();
    });
  };
}

/** The HTTP app of a process that serves only the monitoring endpoints. */
export async function operationsApp(operations: Operations, tls?: Tls): Promise<FastifyInstance> {
  const app = fastify({ logger: false, forceCloseConnections: true, ...secured(tls) });
  await app.register(operationsRoutes(operations));
  return app;
}
