import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyInstance } from 'fastify';
import { serverOptions } from '../../core/process/http.ts';
import { operationsRoutes } from '../../core/process/operations.ts';
import { prefixOf, withoutPrefix } from '../../core/process/prefix.ts';
import type { Tls } from '../../core/process/tls/tls.ts';
import type { WebOrigins } from '../../core/process/web-origins.ts';
import { Refusal } from '../../core/runtime/refusal.ts';
import { StoreGone } from '../../core/store/error.ts';
import type { Store } from '../../core/store/store.ts';
import type { Context } from './context.ts';
import { demandPermissions } from './permissions/permissions.ts';
import { answerProblems } from './problem.ts';
import { isOfApi } from './requests.ts';
import { auditTrailRoutes } from './routes/audit-trail.ts';
import { deviceRoutes } from './routes/devices/devices.ts';
import { secretRoutes } from './routes/devices/secrets.ts';
import { guestRoutes } from './routes/guests.ts';
import { operatorRoutes } from './routes/operator.ts';
import { namedOperatorRoutes } from './routes/operators.ts';
import { pageRoutes } from './routes/pages.ts';
import { decisionRoutes } from './routes/polls/decisions.ts';
import { exportRoutes } from './routes/polls/exports.ts';
import { pollRoutes } from './routes/polls/polls.ts';
import { rehearsalRoutes } from './routes/polls/rehearsals.ts';
import { resultRoutes } from './routes/polls/results.ts';
import { roomGuestRoutes } from './routes/room-guests.ts';
import { roomRoutes } from './routes/rooms.ts';
import { signInRoutes } from './routes/sign-in.ts';

/** The default limit in bytes for the size of a request body. It is enough for a poll with a hundred long options. */
const MAX_BODY_BYTES = 128 * 1024;

export interface AppOptions {
  /** Addresses or networks of proxies whose `X-Forwarded-For` is trusted. */
  readonly trustedProxies: readonly string[];
  /** Origins of other sites whose pages may read public data. */
  readonly embedOrigins: readonly string[];
  /** Which web pages may use the API. */
  readonly webOrigins: WebOrigins;
  /** The certificates; undefined without TLS. */
  readonly tls?: Tls | undefined;
  /** The port for monitoring, if it has one of its own. */
  readonly opsPort: number | undefined;
}

/** Builds the HTTP app, which does not listen yet: tests call `inject`, and an `HttpServer` makes it listen. */
export async function createApp(
  context: Context,
  { trustedProxies, embedOrigins, webOrigins, tls, opsPort }: AppOptions,
): Promise<FastifyInstance> {
  const prefix = prefixOf(context.publicUrl);
  const base = fastify({
    bodyLimit: MAX_BODY_BYTES,
    // All validation errors are reported together. Types are coerced, because numbers in query strings arrive as text.
    ajv: { customOptions: { allErrors: true, coerceTypes: true, removeAdditional: false } },
    forceCloseConnections: true,
    rewriteUrl: ({ url = '/' }) => withoutPrefix(url, prefix),
    // Limits are per client address. If proxies were not trusted, everybody behind a proxy would share one limit.
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    logger: false,
    ...serverOptions(tls),
  });
  const app = base.withTypeProvider<TypeBoxTypeProvider>();
  // Without Fastify’s parser for plain text, such a body is rejected with 415, as forms are. Routes expect JSON by default.
  base.removeContentTypeParser('text/plain');
  answerProblems(base, context);
  context.requests.follow(base);
  context.operators.follow(base);
  context.budgets.follow(base);
  context.turns.follow(base, (request) => context.operators.signedIn(request) !== undefined);
  context.slowReaders.follow(base);
  context.recorder.follow(base);
  refuseForeignPages(base, webOrigins);
  refuseIfGone(base, context.store);
  keepUncached(base);
  demandPermissions(base, context);
  await app.register(helmet, {
    // Plain HTTP is normal on an event’s own network, so no header may require HTTPS, also not after an evening with TLS.
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
    // Read-only and without credentials: other sites may show results, but not operate polls.
    await app.register(cors, {
      origin: [...embedOrigins],
      methods: ['GET', 'HEAD'],
      allowedHeaders: ['Accept', 'Last-Event-ID'],
    });
  }
  const info = { title: 'Pollcast', version: '1', description: DESCRIPTION };
  const servers = prefix === '' ? {} : { servers: [{ url: prefix }] };
  await app.register(swagger, { openapi: { info, ...servers, components: { securitySchemes: SCHEMES } } });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    indexPrefix: prefix,
    staticCSP: true,
    // Over plain HTTP there is nothing to upgrade to: the page would stay blank.
    transformStaticCSP: (policy) => policy.replace(/\s*upgrade-insecure-requests;?/, ''),
  });
  await app.register(pollRoutes(context));
  await app.register(decisionRoutes(context));
  await app.register(resultRoutes(context));
  await app.register(exportRoutes(context));
  await app.register(deviceRoutes(context));
  await app.register(secretRoutes(context));
  await app.register(guestRoutes(context));
  await app.register(roomRoutes(context));
  await app.register(roomGuestRoutes(context));
  await app.register(operatorRoutes(context));
  await app.register(namedOperatorRoutes(context));
  await app.register(signInRoutes(context));
  await app.register(auditTrailRoutes(context));
  await app.register(rehearsalRoutes(context));
  await app.register(operationsRoutes(context, { isPublic: opsPort !== undefined }));
  await app.register(pageRoutes(context));
  // Open streams would keep the server from closing, so end them first.
  base.addHook('preClose', async () => {
    await context.hub.close();
    context.hub.cut();
  });
  return base;
}

function refuseForeignPages(app: FastifyInstance, webOrigins: WebOrigins): void {
  app.addHook('onRequest', async (request) => {
    const problem = isOfApi(request) ? webOrigins.problem(request.raw) : undefined;
    if (problem !== undefined) throw new Refusal('foreign-page', problem);
  });
}

/** Answers of the API may contain secrets and ballots, which no cache may keep. Routes whose answers are public may say otherwise. */
function keepUncached(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    if (isOfApi(request)) reply.header('cache-control', 'no-store');
  });
}

/** While stored data is gone, the API must not show the polls and results that this process still has in memory. */
function refuseIfGone(app: FastifyInstance, store: Store): void {
  app.addHook('onRequest', async (request) => {
    if (!isOfApi(request)) return;
    const condition = store.condition();
    if (!condition.ok && condition.isGone) throw new StoreGone(condition.reason);
  });
}

const DESCRIPTION =
  'Votes in over MQTT, results out over SSE, every acknowledged vote counted exactly once. Requests that change something or read data that is not public need the token of an operator whose role allows it. Errors are problem details (RFC 9457).';

const SCHEMES = {
  operator: { type: 'http', scheme: 'bearer', description: 'the token of the deployment, or of a named operator' },
} as const;
