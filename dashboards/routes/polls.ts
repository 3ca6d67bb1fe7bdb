import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { checkDefinition, publicDefinition, withoutForeignSettings } from '../../core/voting/definition.ts';
import { type Definition, isUnasked, MUTABLE, type Poll } from '../../core/voting/poll.ts';
import { type Context, pollOr404 } from '../context.ts';
import { Problem } from '../problem.ts';
import { NewPoll, PollParams, PollPatch } from '../schemas.ts';

/** Create, read, change, delete, open, close and reopen polls. */
export function pollRoutes(context: Context): FastifyPluginAsyncTypebox {
  const { polls, rounds, store, operators } = context;
  const operatorsOnly = { onRequest: operators.required };
  /** The fields that a request takes away. */
  const taken = new WeakMap<object, readonly string[]>();

  return async (app) => {
    app.get(
      '/api/polls',
      { schema: { summary: 'All polls; drafts for operators only', tags: ['polls'] } },
      async (request) => {
        const isOperator = operators.isOperator(request);
        const visible = polls.all().filter((poll) => isOperator || !isUnasked(poll));
        return {
          polls: visible.sort((a, b) => b.createdAtMs - a.createdAtMs).map((poll) => describe(poll, isOperator)),
        };
      },
    );

    app.post(
      '/api/polls',
      { ...operatorsOnly, schema: { summary: 'Create a poll', tags: ['polls'], body: NewPoll } },
      async (request, reply) => {
        const draft = withDefaults(request.body);
        const definition = checked(draft);
        refusePast(definition);
        const { poll: id } = definition;
        const before = await store.registry.get<Poll>('polls', id);
        const retiredRounds = Math.max(before?.value.round ?? 0, before?.value.retiredRounds ?? 0);
        const poll: Poll = { definition, draft, status: 'draft', round: 0, retiredRounds, createdAtMs: Date.now() };
        const isFree = !before || before.value.deleted;
        if (!isFree || !(await store.registry.put('polls', id, poll, before?.version ?? 0))) {
          throw new Problem(409, 'poll-exists', `there is a poll ${id} already; choose another id, or change that one`);
        }
        await polls.refresh(id);
        return reply.code(201).header('location', `/api/polls/${id}`).send(describe(poll, true));
      },
    );

    app.get(
      '/api/polls/:poll',
      { schema: { summary: 'One poll', tags: ['polls'], params: PollParams } },
      async (request) => {
        const poll = pollOr404(context, request.params.poll);
        const isOperator = operators.isOperator(request);
        if (!isUnasked(poll) || isOperator) return describe(poll, isOperator);
        // A question that was not asked yet is the operators' own.
        return { poll: poll.definition.poll, status: poll.status, round: poll.round };
      },
    );

    app.patch(
      '/api/polls/:poll',
      {
        ...operatorsOnly,
        schema: {
          summary: 'Change a draft; or the visibility or moderation of any poll',
          tags: ['polls'],
          params: PollParams,
          body: PollPatch,
        },
        // What is set to null is taken away: it is left out of what the schema checks.
        preValidation: async (request) => {
          const { body } = request as { body: unknown };
          if (typeof body !== 'object' || body === null) return;
          const all = Object.entries(body);
          taken.set(
            request,
            all.filter(([, value]) => value === null).map(([field]) => field),
          );
          (request as { body: unknown }).body = Object.fromEntries(all.filter(([, value]) => value !== null));
        },
      },
      async (request) => {
        const { params, body } = request;
        const dropped = taken.get(request) ?? [];
        const fields = [...Object.keys(body), ...dropped];
        if (fields.length === 0) throw new Problem(400, 'invalid-request', 'the request changes nothing');
        if (dropped.includes('title')) throw new Problem(400, 'invalid-request', 'title: a poll has one');
        const changes = { ...body, ...Object.fromEntries(dropped.map((field) => [field, undefined])) };
        const isMutable = fields.every((field) => (MUTABLE as readonly string[]).includes(field));
        const changed = await change(params.poll, (poll) => {
          if (poll.status !== 'draft' && !isMutable) {
            throw new Problem(
              409,
              'poll-was-opened',
              `poll ${params.poll} was opened, and what was asked cannot be changed after that; make a new poll (${MUTABLE.join(' and ')} may still change)`,
            );
          }
          const draft = withDefaults({ ...(poll.draft ?? poll.definition), ...changes });
          const definition = checked(body.kind === undefined ? draft : withoutForeignSettings(draft));
          if (poll.status !== 'draft') {
            // What was asked stays as it was to the letter; only this may be another.
            const kept = Object.fromEntries(MUTABLE.map((field) => [field, definition[field]]));
            return { ...poll, definition: { ...poll.definition, ...kept } };
          }
          if (body.opensAt !== undefined) refusePast(definition);
          return { ...poll, definition, draft };
        });
        return describe(changed, true);
      },
    );

    app.delete(
      '/api/polls/:poll',
      { ...operatorsOnly, schema: { summary: 'Delete a poll that is not open', tags: ['polls'], params: PollParams } },
      async ({ params }, reply) => {
        await change(params.poll, (poll) => {
          if (poll.status === 'draft' || poll.status === 'closed') return { ...poll, deleted: true };
          throw new Problem(409, 'wrong-status', `poll ${params.poll} is ${poll.status}; close it first`);
        });
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
        async ({ params }) => describe(await steps[step](params.poll), true),
      );
    }
  };

  /** Changes a poll by compare-and-set; when it was written meanwhile, what it is then. @throws Problem 404 without it */
  async function change(id: string, next: (now: Poll) => Poll): Promise<Poll> {
    for (;;) {
      const found = await store.registry.get<Poll>('polls', id);
      if (!found || found.value.deleted)
        throw new Problem(404, 'no-such-poll', `there is no poll ${JSON.stringify(id)}`);
      const changed = next(found.value);
      if (!(await store.registry.put('polls', id, changed, found.version))) continue;
      await polls.refresh(id);
      return changed;
    }
  }
}

/** A poll with the defaults of what its author left out. */
export function withDefaults(author: Partial<Definition> & Pick<Definition, 'poll' | 'title'>): Definition {
  const given = Object.fromEntries(Object.entries(author).filter(([, value]) => value !== undefined));
  const defaults = { kind: 'single', options: [], revote: 'last', visibility: 'live' } as const;
  return { ...defaults, ...(given as typeof author) };
}

function checked(draft: Definition): Definition {
  const { definition, problems } = checkDefinition(draft);
  if (problems.length === 0) return definition;
  throw new Problem(400, 'bad-definition', `the poll cannot be used like this: ${problems.length} to mend`, problems);
}

/** What is to be opened in the past would be opened at once. */
function refusePast({ opensAt }: Definition): void {
  if (opensAt === undefined || Date.parse(opensAt) > Date.now()) return;
  throw new Problem(400, 'bad-definition', 'the poll cannot be used like this: 1 to mend', [
    `opensAt: ${opensAt} is over; leave it out and open the poll by hand`,
  ]);
}

/** A poll as the API shows it: times in UTC; right answers to operators only. */
function describe(poll: Poll, isOperator: boolean) {
  const { definition, status, round, createdAtMs, openedAtMs, closesAtMs, stoppedAtMs, closedAtMs, ...rest } = poll;
  const { electorate, presentAtOpen, presentAtClose, draft } = rest;
  const time = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());
  return {
    ...(isOperator
      ? { ...definition, electorate, presentAtOpen, presentAtClose, draft }
      : publicDefinition(definition)),
    status,
    round,
    createdAt: new Date(createdAtMs).toISOString(),
    openedAt: time(openedAtMs),
    closingAt: time(closesAtMs),
    stoppedAt: time(stoppedAtMs),
    closedAt: time(closedAtMs),
  };
}
