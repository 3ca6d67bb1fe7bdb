import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { demandFuture, edited } from '../../../../core/rounds/edit.ts';
import { type Permit, validDefinition } from '../../../../core/rounds/poll-repository.ts';
import { Refusal } from '../../../../core/runtime/refusal.ts';
import type { Definition } from '../../../../core/voting/kinds/definition.ts';
import { isUnpublished, type Poll } from '../../../../core/voting/poll/poll.ts';
import { DraftSchema, PatchSchema } from '../../../../core/voting/poll/schema.ts';
import { type Context, knownPoll } from '../../context.ts';
import { permitOf } from '../../permissions/permissions.ts';
import { pollView } from '../../poll-view.ts';
import { PollParams } from '../../schemas/params.ts';

const tags = ['polls'];

/** Create, read, change, delete, open, close, continue and reopen polls. */
export function pollRoutes(context: Context): FastifyPluginAsyncTypebox {
  const { polls, repository, rounds, operators, recorder } = context;
  const viewFor = (request: FastifyRequest, poll: Poll) => pollView(operators, request, poll);
  /** The names of the settings that each PATCH request removes. */
  const removed = new WeakMap<object, readonly string[]>();

  return async (app) => {
    app.get('/api/polls', { schema: { summary: 'All polls; drafts for operators only', tags } }, async (request) => {
      // A wrong token is refused even if there are no polls.
      operators.caller(request);
      const isVisible = (poll: Poll) => operators.seesSettings(request, poll.definition.room) || !isUnpublished(poll);
      const visible = polls.all().filter(isVisible);
      return { polls: visible.sort((a, b) => b.createdAtMs - a.createdAtMs).map((poll) => viewFor(request, poll)) };
    });

    app.post(
      '/api/polls',
      { schema: { summary: 'Create a poll', tags, body: DraftSchema } },
      async (request, reply) => {
        const { body } = request;
        recorder.note(request, { target: `poll/${body.poll}` });
        demandFuture(validDefinition(body));
        const poll = await repository.create(body);
        const { title, kind, room } = poll.definition;
        recorder.note(request, { round: poll.round, after: { title, kind, room } });
        return reply.code(201).header('location', `/api/polls/${poll.definition.poll}`).send(viewFor(request, poll));
      },
    );

    app.get('/api/polls/:poll', { schema: { summary: 'One poll', tags, params: PollParams } }, async (request) => {
      const poll = knownPoll(context, request.params.poll);
      if (!isUnpublished(poll) || operators.seesSettings(request, poll.definition.room)) return viewFor(request, poll);
      // Only operators may see a question that has not been asked yet.
      return { poll: poll.definition.poll, status: poll.status, round: poll.round };
    });

    app.patch(
      '/api/polls/:poll',
      {
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
        let before: Poll | undefined;
        const permit = permitOf(context, request);
        const poll = await repository.change(params.poll, (now) => {
          permit(now);
          before = now;
          return edited(now, changes, basedOn);
        });
        const settings = (of: Poll | undefined) =>
          Object.fromEntries(Object.keys(changes).map((field) => [field, of?.definition[field as keyof Definition]]));
        recorder.note(request, {
          ...{ round: poll.round, before: settings(before), after: settings(poll) },
          isOneWrite: true,
        });
        return viewFor(request, poll);
      },
    );

    app.delete(
      '/api/polls/:poll',
      { schema: { summary: 'Delete a poll that is not open', tags, params: PollParams } },
      async (request, reply) => {
        const { params } = request;
        const permit = permitOf(context, request);
        await repository.change(params.poll, (poll) => {
          permit(poll);
          recorder.note(request, { round: poll.round, before: stateOf(poll) });
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
        const permit = permitOf(context, request);
        const poll = await repository.change(id, (now) => {
          permit(now);
          const isHidden = now.curtain === true;
          recorder.note(request, {
            ...{ round: now.round, before: { isHidden }, after: { isHidden: curtain === true } },
            isOneWrite: true,
          });
          return now.curtain === curtain ? undefined : { ...now, curtain };
        });
        return viewFor(request, poll ?? knownPoll(context, id));
      });
    }

    const steps: Readonly<Record<string, { summary: string; take: (id: string, permit: Permit) => Promise<Poll> }>> = {
      open: { summary: 'Open a draft', take: (id, permit) => rounds.openRound(id, 'draft', permit) },
      close: { summary: 'Close an open poll', take: (id, permit) => rounds.closeRound(id, permit) },
      continue: {
        summary: 'Continue the last round of a closed poll',
        take: (id, permit) => rounds.continueRound(id, permit),
      },
      reopen: {
        summary: 'Open a closed poll for another round',
        take: (id, permit) => rounds.openRound(id, 'closed', permit),
      },
    };
    for (const [name, { summary, take }] of Object.entries(steps)) {
      app.post(`/api/polls/:poll/${name}`, { schema: { summary, tags, params: PollParams } }, async (request) => {
        const { poll: id } = request.params as { poll: string };
        // As stored: another dashboard may have created or changed it a moment ago.
        const before = stateOf(await repository.read(id));
        const poll = await take(id, permitOf(context, request));
        recorder.note(request, { round: poll.round, before, after: stateOf(poll) });
        return viewFor(request, poll);
      });
    }
  };
}

/** What a step changes, for the record. */
function stateOf({ status, round }: Poll): { readonly status: string; readonly round: number } {
  return { status, round };
}
