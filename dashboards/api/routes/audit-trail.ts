import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { TrailAnswer, TrailCheckAnswer } from '../../../client/answers.ts';
import { TrailCheck } from '../../../core/audit/trail/record.ts';
import { MAX_PAGE } from '../../../core/audit/trail/trail.ts';
import { closed } from '../../../core/voting/rules/schema.ts';
import type { Context } from '../context.ts';

/** How many records a page has, unless the request says otherwise. */
const PAGE = 100;
/** How many records are checked before other requests are answered. */
const CHECKED_TOGETHER = 500;
const tags = ['audit trail'];

const PageQuery = closed({
  before: Type.Optional(Type.Integer({ minimum: 1, description: 'only records with lower numbers' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE, description: `how many; default: ${PAGE}` })),
});

/** The audit trail: what operators did, and what was refused. */
export function auditTrailRoutes({ trail, turns }: Context): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/api/audit-trail',
      { schema: { summary: 'What operators did and what was refused, newest first', tags, querystring: PageQuery } },
      async ({ query: { before, limit = PAGE } }): Promise<TrailAnswer> => {
        const { records, next = null } = await trail.page(before, limit);
        return { records, next };
      },
    );

    app.get(
      '/api/audit-trail/check',
      { schema: { summary: 'Check the chain of hashes of all kept records', tags } },
      async (): Promise<TrailCheckAnswer> => {
        const check = new TrailCheck();
        const me = {};
        let read = 0;
        for await (const record of trail.all()) {
          if (++read % CHECKED_TOGETHER === 0) await turns.next(me);
          check.add(record);
        }
        return check.report();
      },
    );
  };
}
