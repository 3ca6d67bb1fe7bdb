import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { DeadEntryAnswer, DeploymentAnswer } from '../../../client/answers.ts';
import { DeadEntries } from '../../../core/store/dead-entries.ts';
import type { Context } from '../context.ts';

/** Sign-in: checks the token, and describes the deployment. Also lists what could not be read. */
export function operatorRoutes(context: Context): FastifyPluginAsyncTypebox {
  const { operators, rehearsals, publicUrl, door } = context;
  const dead = new DeadEntries(context.store.registry);
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

    app.get(
      '/api/log/dead',
      {
        onRequest: operators.required,
        schema: { summary: 'Entries of the vote log that could not be read, latest first', tags: ['operators'] },
      },
      async (): Promise<{ entries: DeadEntryAnswer[] }> => {
        const entries = await dead.all();
        return {
          entries: entries.map(({ foundAtMs, ...entry }) => ({ ...entry, foundAt: new Date(foundAtMs).toISOString() })),
        };
      },
    );
  };
}
