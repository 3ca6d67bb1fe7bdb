import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { demandFuture, edited } from '../../../core/rounds/edit.ts';
import { validDefinition } from '../../../core/rounds/poll-repository.ts';
import { Refusal } from '../../../core/runtime/refusal.ts';
import { isUnpublished, type Poll } from '../../../core/voting/poll/poll.ts';
import { DraftSchema, PatchSchema } from '../../../core/voting/poll/schema.ts';
import { type Context, knownPoll } from '../context.ts';
import { pollView } from '../poll-view.ts';
import { PollParams } from '../schemas/params.ts';

const tags = ['polls'];

/** Create, read, change, delete, open, close, continue and reopen polls. */
export function pollRoutes(context: Context): FastifyPluginAsyncTypebox {
  const { polls, repository, rounds, operators } = context;
  const operatorsOnly = { onRequest: operators.required };
  const viewFor = (poll: Poll, isOperator: boolean) =>
    pollView(poll, isOperator ? operators.screenKey(poll) : undefined);
  /** The names of the settings that each PATCH request removes. */
  const removed = new WeakMap<object, readonly string[]>();

  return async (app) => {
    app.get('/api/polls', { schema: { summary: 'All polls; drafts for operators only', tags } }, async (request) => {
      const isOperator = operators.isOperator(request);
      const visible = polls.all().filter((poll) => isOperator || !isUnpublished(poll));
      return {
        polls: visible.sort((a, b) => b.createdAtMs - a.createdAtMs).map((poll) => viewFor(poll, isOperator)),
      };
    });

    app.post(
      '/api/polls',
      { ...operatorsOnly, schema: { summary: 'Create a poll', tags, body: DraftSchema } },
      async ({ body }, reply) => {
        demandFuture(validDefinition(body));
        const poll = await repository.create(body);
        return reply.code(201).header('location', `/api/polls/${poll.definition.poll}`).send(viewFor(poll, true));
      },
    );

    app.get('/api/polls/:poll', { schema: { summary: 'One poll', tags, params: PollParams } }, async (request) => {
      const poll = knownPoll(context, request.params.poll);
      const isOperator = operators.isOperator(request);
      if (!isUnpublished(poll) || isOperator) return viewFor(poll, isOperator);
      // Only operators may see a question that has not been asked yet.
      return { poll: poll.definition.poll, status: poll.status, round: poll.round };
    });

    app.patch(
      '/api/polls/:poll',
      {
        ...operatorsOnly,
        schema: {
          summary: 'Change a draft, or the visibility or moderation of any poll',
          tags,
          params: PollParams,
          body: PatchSchema,
        },
        // If a setting is null, it will be removed from the poll, so the schema need not check it.
        preValidation: async (request) => {
          const { body } = request as { body: unknown };
          if (typeof body !== 'object' || body === null) return;
          const all = Object.entries(body);
          removed.set(
            request,
            all.filter(([field, value]) => value === null && field !== 'basedOn').map(([field]) => field),
          );
          (request as { body: unknown }).body = Object.fromEntries(all.filter(([, value]) => value !== null));
        },
      },
      async (request) => {
        const { params } = request;
        const { basedOn, ...body } = request.body;
        const gone = removed.get(request) ?? [];
        if (Object.keys(body).length + gone.length === 0) {
          throw new Refusal('invalid-request', 'the request changes nothing');
        }
        if (gone.includes('title')) throw new Refusal('invalid-request', 'title: cannot be removed');
        const changes = { ...body, ...Object.fromEntries(gone.map((field) => [field, undefined])) };
        return viewFor(await repository.change(params.poll, (now) => edited(now, changes, basedOn)), true);
      },
    );

    app.delete(
      '/api/polls/:poll',
      { ...operatorsOnly, schema: { summary: 'Delete a poll that is not open', tags, params: PollParams } },
      async ({ params }, reply) => {
        await repository.change(params.poll, (poll) => {
          if (poll.status === 'draft' || poll.status === 'closed') return { ...poll, deleted: true };
          throw new Refusal('wrong-status', `poll ${params.poll} is ${poll.status}; close it first`);
        });
        return reply.code(204).send();
      },
    );

    for (const [name, curtain] of [
      ['hide', true],
      ['show', undefined],
    ] as const) {
      const summary = curtain ? 'Hide figures from everybody but operators for now' : 'Show figures again';
      app.post(`/api/polls/:poll/${name}`, { schema: { summary, tags, params: PollParams } }, async (request) => {
        const id = (request.params as { poll: string }).poll;
        operators.demandPresenter(request, knownPoll(context, id), context.door);
        const poll = await repository.change(id, (now) => (now.curtain === curtain ? undefined : { ...now, curtain }));
        return viewFor(poll ?? knownPoll(context, id), operators.isOperator(request));
      });
    }

    const steps = {
      open: { summary: 'Open a draft', take: (id: string) => rounds.openRound(id, 'draft') },
      close: { summary: 'Close an open poll', take: (id: string) => rounds.closeRound(id) },
      continue: { summary: 'Continue the last round of a closed poll', take: (id: string) => rounds.continueRound(id) },
      reopen: { summary: 'Open a closed poll for another round', take: (id: string) => rounds.openRound(id, 'closed') },
    };
    for (const [name, { summary, take }] of Object.entries(steps)) {
      app.post(
        `/api/polls/:poll/${name}`,
        { ...operatorsOnly, schema: { summary, tags, params: PollParams } },
        async ({ params }) => viewFor(await take((params as { poll: string }).poll), true),
      );
    }
  };
}
