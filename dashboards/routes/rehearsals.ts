import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { isUnderWay, type Poll } from '../../core/voting/poll.ts';
import { type Context, pollOr404 } from '../context.ts';
import { Problem } from '../problem.ts';
import { copyToRehearse } from '../rehearsals.ts';
import { NewRehearsal, PollParams } from '../schemas.ts';

/** Ends the id of a rehearsal's poll. */
const SUFFIX = '-rehearsal';
const MAX_ID_LENGTH = 64;

/** Rehearsals: simulated devices against a copy of a poll. Operators only. */
export function rehearsalRoutes(context: Context): FastifyPluginAsyncTypebox {
  const { rehearsals, store, polls, rounds, operators } = context;

  return async (app) => {
    app.addHook('onRequest', operators.required);

    app.get(
      '/api/rehearsal',
      { schema: { summary: 'The rehearsal under way, or the last one', tags: ['rehearsals'] } },
      async () => ({ rehearsal: rehearsals.state ?? null }),
    );

    app.post(
      '/api/polls/:poll/rehearsal',
      {
        schema: {
          summary: 'Let simulated devices vote in a copy of the poll',
          tags: ['rehearsals'],
          params: PollParams,
          body: NewRehearsal,
        },
      },
      async ({ params, body: { devices = 200, seconds = 10 } }, reply) => {
        const { definition } = pollOr404(context, params.poll);
        rehearsals.demandFree();
        const copy = params.poll.slice(0, MAX_ID_LENGTH - SUFFIX.length) + SUFFIX;
        await ownCopy(copy, params.poll);
        const state = rehearsals.begin(
          params.poll,
          { poll: copy, devices, seconds },
          async () => {
            await create(copy, params.poll, seconds);
            await rounds.open(copy, 'draft');
          },
          async () => {
            if (polls.get(copy)?.rehearsalOf === params.poll) await rounds.close(copy);
          },
        );
        return reply.code(202).send({ rehearsal: { ...state, title: definition.title } });
      },
    );

    app.delete(
      '/api/rehearsal',
      { schema: { summary: 'End the rehearsal under way', tags: ['rehearsals'] } },
      async (_request, reply) => {
        await rehearsals.end();
        return reply.code(204).send();
      },
    );
  };

  /** What is kept under the copy's id. @throws Problem 409 when that is a poll, and no copy of this one */
  async function ownCopy(copy: string, of: string) {
    const kept = await store.registry.get<Poll>('polls', copy);
    if (!kept || kept.value.deleted || kept.value.rehearsalOf === of) return kept;
    throw new Problem(409, 'no-copy', `the copy would be called ${copy}, and there is another poll of that id`);
  }

  /** Makes the copy, in place of the one of an earlier rehearsal. */
  async function create(copy: string, of: string, seconds: number): Promise<void> {
    const definition = copyToRehearse(pollOr404(context, of), copy, seconds);
    const before = await ownCopy(copy, of);
    if (before && !before.value.deleted && isUnderWay(before.value.status)) await rounds.close(copy);
    const kept = await ownCopy(copy, of);
    const retiredRounds = Math.max(kept?.value.round ?? 0, kept?.value.retiredRounds ?? 0);
    const createdAtMs = Date.now();
    const poll: Poll = { definition, status: 'draft', round: 0, retiredRounds, createdAtMs, rehearsalOf: of };
    if (!(await store.registry.put('polls', copy, poll, kept?.version ?? 0))) {
      throw new Problem(409, 'changed-meanwhile', `poll ${copy} was changed by somebody else at the same moment`);
    }
    await polls.refresh(copy);
  }
}
