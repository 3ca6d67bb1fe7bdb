import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { DeploymentAnswer } from '../../../client/answers.ts';
import type { Context } from '../context.ts';

/** Sign-in: checks the token, and describes the deployment. */
export function operatorRoutes({ operators, rehearsals, publicUrl, door }: Context): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/api/operator',
      {
        onRequest: operators.required,
        schema: { summary: 'Check the operator token, and describe this deployment', tags: ['operators'] },
      },
      async (): Promise<DeploymentAnswer> => ({
        door,
        publicUrl: publicUrl === '' ? null : publicUrl,
        rehearsals: rehearsals.isOffered,
        now: new Date().toISOString(),
      }),
    );
  };
}
