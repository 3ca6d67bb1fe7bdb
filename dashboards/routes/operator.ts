import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Context } from '../context.ts';

/** Signing in: whoever has the token is told what this deployment can do. */
export function operatorRoutes({ operators, rehearsals, publicUrl, door }: Context): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/api/operator',
      {
        onRequest: operators.required,
        schema: { summary: 'Whether the token is right, and what can be done here', tags: ['operators'] },
      },
      async () => ({
        door,
        publicUrl: publicUrl === '' ? null : publicUrl,
        rehearsals: rehearsals.isOffered,
        now: new Date().toISOString(),
      }),
    );
  };
}
