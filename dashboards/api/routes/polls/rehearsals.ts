import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Refusal } from '../../../../core/runtime/refusal.ts';
import { isUnderWay, type Poll } from '../../../../core/voting/poll/poll.ts';
import { rehearsalCopy } from '../../../rehearsals/copy.ts';
import { type Context, knownPoll } from '../../context.ts';
import { PollParams } from '../../schemas/params.ts';
import { NewRehearsal } from '../../schemas/rehearsals.ts';

/** The suffix that is added to a poll’s id to form the id of its copy. */
const SUFFIX = '-rehearsal';
const MAX_ID_LENGTH = 64;
const tags = ['rehearsals'];

/** Rehearsals: simulated devices vote in a copy of a poll. Operators only. */
export function rehearsalRoutes(context: Context): FastifyPluginAsyncTypebox {
  const { rehearsals, polls, repository, rounds, recorder } = context;

  return async (app) => {
    app.get('/api/rehearsal', { schema: { summary: 'The current rehearsal, or the last one', tags } }, async () => ({
      rehearsal: rehearsals.state ?? null,
    }));

    app.post(
      '/api/polls/:poll/rehearsal',
      {
        schema: {
          summary: 'Let simulated devices vote in a copy of the poll',
          tags,
          params: PollParams,
          body: NewRehearsal,
        },
      },
      async (request, reply) => {
        const {
          params: { poll: of },
          body: { devices = 200, seconds = 10 },
        } = request;
        recorder.note(request, { after: { devices, seconds } });
        const { definition } = knownPoll(context, of);
        rehearsals.demandFree();
        const copy = of.slice(0, MAX_ID_LENGTH - SUFFIX.length) + SUFFIX;
        demandCopy(polls.get(copy), copy, of);
        const state = rehearsals.begin({
          poll: copy,
          of,
          devices,
          seconds,
          begin: async () => {
            await create(copy, of, seconds);
            await rounds.openRound(copy, 'draft');
          },
          end: async () => {
            if (polls.get(copy)?.rehearsalOf === of) await rounds.closeRound(copy);
          },
        });
        return reply.code(202).send({ rehearsal: { ...state, title: definition.title } });
      },
    );

    app.delete(
      '/api/rehearsal',
      { schema: { summary: 'End the current rehearsal', tags } },
      async (_request, reply) => {
        await rehearsals.end();
        return reply.code(204).send();
      },
    );
  };

  /** Creates the copy. A copy left by an earlier rehearsal of the same poll is replaced. */
  async function create(copy: string, of: string, seconds: number): Promise<void> {
    const before = polls.get(copy);
    demandCopy(before, copy, of);
    if (before && isUnderWay(before.status)) await rounds.closeRound(copy);
    const draft = rehearsalCopy(knownPoll(context, of), copy, seconds);
    await repository.create(draft, { rehearsalOf: of, replaces: (existing) => existing.rehearsalOf === of });
  }
}

/** @throws Refusal no-copy if another poll already has the id of the copy */
function demandCopy(existing: Poll | undefined, copy: string, of: string): void {
  if (!existing || existing.rehearsalOf === of) return;
  throw new Refusal('no-copy', `the copy would be called ${copy}, but another poll already has that id`);
}
