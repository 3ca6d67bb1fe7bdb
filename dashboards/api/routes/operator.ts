import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { DeadEntryAnswer, DeploymentAnswer } from '../../../client/answers.ts';
import { DeadEntries } from '../../../core/store/dead-entries.ts';
import type { Context } from '../context.ts';
import { mayDo, PERMISSIONS } from '../permissions/table.ts';

/** Sign-in: checks the token, and describes the deployment. Also lists what could not be read. */
export function operatorRoutes(context: Context): FastifyPluginAsyncTypebox {
  const { operators, rehearsals, publicUrl, door } = context;
  const dead = new DeadEntries(context.store.registry);
  return async (app) => {
    app.get(
      '/api/operator',
      {
        schema: {
          summary: 'Check the operator token, say what it allows, and describe this deployment',
          tags: ['operators'],
        },
      },
      async (request): Promise<DeploymentAnswer> => {
        const { name, role, rooms, session } = operators.demand(request);
        const allowed = Object.values(PERMISSIONS).filter(
          (rule) => mayDo(rule, role) && !(rule.reach === 'all-rooms' && rooms !== undefined),
        );
        return {
          door,
          publicUrl: publicUrl === '' ? null : publicUrl,
          rehearsals: rehearsals.isOffered,
          now: new Date().toISOString(),
          operator: {
            ...{ name, role, rooms: rooms ?? null, session: session !== undefined },
            may: [...new Set(allowed.map(({ action }) => action))],
          },
        };
      },
    );

    app.get(
      '/api/log/dead',
      {
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
