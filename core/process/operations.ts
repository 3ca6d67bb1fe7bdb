import fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { serverOptions } from './http.ts';
import type { Readiness } from './readiness.ts';
import type { Tls } from './tls/tls.ts';

/** What the monitoring endpoints report. */
export interface Operations {
  readonly metrics: Registry;
  readonly readiness: Readiness;
}

/**
 * `/health`: the process is alive. `/ready`: the process and its store are ready for work. `/metrics`: Prometheus metrics.
 *
 * @param isPublic whether strangers may reach the port, because monitoring has one of its own: then there are no metrics
 */
export function operationsRoutes({ metrics, readiness }: Operations, { isPublic }: { readonly isPublic: boolean }) {
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

    if (isPublic) return;
    app.get('/metrics', { schema: { summary: 'Metrics for Prometheus', tags } }, async (_request, reply) => {
      reply.type(metrics.contentType);
      return metrics.metrics();
    });
  };
}

/** The HTTP app of a port that serves only the monitoring endpoints. @param options see `operationsRoutes` */
export async function operationsApp(
  operations: Operations,
  { isPublic = false, tls }: { readonly isPublic?: boolean; readonly tls?: Tls | undefined } = {},
): Promise<FastifyInstance> {
  const app = fastify({ logger: false, forceCloseConnections: true, ...serverOptions(tls) });
  await app.register(operationsRoutes(operations, { isPublic }));
  return app;
}
