import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyInstance } from 'fastify';
import { operationsRoutes } from '../core/runtime/operations.ts';
import type { Context } from './context.ts';
import { answerProblems } from './problem.ts';
import { deviceRoutes } from './routes/devices.ts';
import { operatorRoutes } from './routes/operator.ts';
import { pageRoutes } from './routes/pages.ts';
import { pollRoutes } from './routes/polls.ts';
import { rehearsalRoutes } from './routes/rehearsals.ts';
import { resultRoutes } from './routes/results.ts';
import { roomRoutes } from './routes/rooms.ts';

/** The largest request body, bytes; a poll with a hundred long options fits. */
const MAX_BODY_BYTES = 128 * 1024;

export interface AppOptions {
  /** Addresses or networks of proxies that are believed who they speak for. */
  readonly trustedProxies: readonly string[];
  /** Origins of other sites whose pages may read what is public. */
  readonly embedOrigins: readonly string[];
}

/** Builds the HTTP app. It does not listen: `inject` tests it, `HttpServer` runs it. */
export async function createApp(
  context: Context,
  { trustedProxies, embedOrigins }: AppOptions,
): Promise<FastifyInstance> {
  const base = fastify({
    bodyLimit: MAX_BODY_BYTES,
    // Operators' mistakes are told all at once; numbers in a query come as text.
    ajv: { customOptions: { allErrors: true, coerceTypes: true, removeAdditional: false } },
    forceCloseConnections: true,
    // Limits are per address, and behind a proxy all would share one.
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    logger: false,
  });
  const app = base.withTypeProvider<TypeBoxTypeProvider>();
  // Bodies are JSON: a form or a text gets 415 and not a guess.
  base.removeContentTypeParser('text/plain');
  answerProblems(base, context.log);
  await app.register(helmet, {
    // Plain HTTP is the normal case on a stage's own network: nothing here may demand HTTPS.
    hsts: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        frameAncestors: ["'self'"],
      },
    },
  });
  if (embedOrigins.length > 0) {
    // Reading only, and without credentials: another site may show results, never operate.
    await app.register(cors, { origin: [...embedOrigins], methods: ['GET', 'HEAD'], allowedHeaders: ['Accept'] });
  }
  await app.register(rateLimit, { global: false });
  const info = { title: 'Pollcast', version: '1', description: DESCRIPTION };
  await app.register(swagger, { openapi: { info, components: { securitySchemes: SCHEMES } } });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true });
  await app.register(pollRoutes(context));
  await app.register(resultRoutes(context));
  await app.register(deviceRoutes(context));
  await app.register(roomRoutes(context));
  await app.register(operatorRoutes(context));
  await app.register(rehearsalRoutes(context));
  await app.register(operationsRoutes(context));
  await app.register(pageRoutes());
  await context.hub.start();
  // Open streams would keep the server from closing: they are ended first.
  base.addHook('preClose', () => context.hub.stop());
  return base;
}

const DESCRIPTION =
  'Votes in over MQTT, results out over SSE, every acknowledged vote counted exactly once. Calls that change something, or show what is not public, need the operator token. Errors are problem details (RFC 9457).';

const SCHEMES = { operator: { type: 'http', scheme: 'bearer', description: 'the operator token' } } as const;
