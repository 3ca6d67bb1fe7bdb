import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from 'typebox';
import { checkDefinition } from '../../core/voting/definition.ts';
import { type Definition, isUnasked, type Poll } from '../../core/voting/poll.ts';
import { type Context, pollOr404 } from '../context.ts';
import { Problem } from '../problem.ts';
import { NewPoll, PollParams, PollPatch } from '../schemas.ts';

/** Create, read, change, delete, open, close and reopen polls. */
export function pollRoutes(context: Context): FastifyPluginAsyncTypebox {
  const { polls, rounds, store, operators } = context;
  const operatorsOnly = { onRequest: operators.required };

  return async (app) => {
    app.get(
      '/api/polls',
      { schema: { summary: 'All polls; drafts for operators only', tags: ['polls'] } },
      async (request) => {
        const isOperator = operators.isOperator(request);
        const visible = polls.all().filter((poll) => isOperator || !isUnasked(poll));
        return { polls: visible.sort((a, b) => b.createdAtMs - a.createdAtMs).map(describe) };
      },
    );

    app.post(
      '/api/polls',
      { ...operatorsOnly, schema: { summary: 'Create a poll', tags: ['polls'], body: NewPoll } },
      async (request, reply) => {
        const definition = checked(withDefaults(request.body));
        const { poll: id } = definition;
        const before = await store.registry.get<Poll>('polls', id);
        const retiredRounds = Math.max(before?.value.round ?? 0, before?.value.retiredRounds ?? 0);
        const poll: Poll = { definition, status: 'draft', round: 0, retiredRounds, createdAtMs: Date.now() };
        const isFree = !before || before.value.deleted;
        if (!isFree || !(await store.registry.put('polls', id, poll, before?.version ?? 0))) {
          throw new Problem(409, 'poll-exists', `there is a poll ${id} already; choose another id, or change that one`);
        }
        await polls.refresh(id);
        return reply.code(201).header('location', `/api/polls/${id}`).send(describe(poll));
      },
    );

    app.get(
      '/api/polls/:poll',
      { schema: { summary: 'One poll', tags: ['polls'], params: PollParams } },
      async (request) => {
        const poll = pollOr404(context, request.params.poll);
        if (!isUnasked(poll) || operators.isOperator(request)) return describe(poll);
        // A question that was not asked yet is the operators' own.
        return { poll: poll.definition.poll, status: poll.status, round: poll.round };
      },
    );

    app.patch(
      '/api/polls/:poll',
      {
        ...operatorsOnly,
        schema: {
          summary: 'Change a draft; or the visibility of any poll',
          tags: ['polls'],
          params: PollParams,
          body: PollPatch,
        },
      },
      async ({ params, body }) => {
        const { value: poll, version } = await stored(params.poll);
        const onlyVisibility = Object.keys(body).every((field) => field === 'visibility');
        if (poll.status !== 'draft' && !onlyVisibility) {
          throw new Problem(
            409,
            'poll-was-opened',
            `poll ${params.poll} was opened, and what was asked cannot be changed after that; make a new poll (visibility may still change)`,
          );
        }
        const definition = checked({ ...poll.definition, ...body });
        return describe(await write({ ...poll, definition }, version));
      },
    );

    app.delete(
      '/api/polls/:poll',
      { ...operatorsOnly, schema: { summary: 'Delete a poll that is not open', tags: ['polls'], params: PollParams } },
      async ({ params }, reply) => {
        const { value: poll, version } = await stored(params.poll);
        if (poll.status !== 'draft' && poll.status !== 'closed') {
          throw new Problem(409, 'wrong-status', `poll ${params.poll} is ${poll.status}; close it first`);
        }
        await write({ ...poll, deleted: true }, version);
        return reply.code(204).send();
      },
    );

    const steps = {
      open: (id: string) => rounds.open(id, 'draft'),
      close: (id: string) => rounds.close(id),
      reopen: (id: string) => rounds.open(id, 'closed'),
    };
    const summaries = {
      open: 'Open a draft',
      close: 'Close an open poll',
      reopen: 'Open a closed poll for another round',
    };
    for (const step of ['open', 'close', 'reopen'] as const) {
      app.post(
        `/api/polls/:poll/${step}`,
        { ...operatorsOnly, schema: { summary: summaries[step], tags: ['polls'], params: PollParams } },
        async ({ params }) => describe(await steps[step](params.poll)),
      );
    }
  };

  async function stored(id: string) {
    const found = await store.registry.get<Poll>('polls', id);
    if (!found || found.value.deleted) throw new Problem(404, 'no-such-poll', `there is no poll ${JSON.stringify(id)}`);
    return found;
  }

  async function write(poll: Poll, version: number): Promise<Poll> {
    const { poll: id } = poll.definition;
    if (!(await store.registry.put('polls', id, poll, version))) {
      throw new Problem(
        409,
        'changed-meanwhile',
        `poll ${id} was changed by somebody else at the same moment; try again`,
      );
    }
    await polls.refresh(id);
    return poll;
  }
}

/** A new poll with the defaults of what its author left out. */
export function withDefaults(body: Static<typeof NewPoll>): Definition {
  return { kind: 'single', options: [], revote: 'last', visibility: 'live', ...body };
}

function checked(draft: Definition): Definition {
  const { definition, problems } = checkDefinition(draft);
  if (problems.length === 0) return definition;
  throw new Problem(400, 'bad-definition', `the poll cannot be used like this: ${problems.length} to mend`, problems);
}

/** A poll as the API shows it: times in UTC. */
function describe({ definition, status, round, createdAtMs, openedAtMs, closedAtMs }: Poll) {
  const time = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());
  const createdAt = new Date(createdAtMs).toISOString();
  return { ...definition, status, round, createdAt, openedAt: time(openedAtMs), closedAt: time(closedAtMs) };
}
