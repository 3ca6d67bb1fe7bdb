import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Poll } from '../../core/voting/poll.ts';
import { publicResult } from '../../core/voting/result.ts';
import { ballotLines } from '../ballots.ts';
import { type Context, pollOr404 } from '../context.ts';
import { Problem } from '../problem.ts';
import { recount } from '../recount.ts';
import { PollParams, RoundQuery, StreamQuery } from '../schemas.ts';
import { Timelines } from '../timeline.ts';

/** Timelines one address may ask for per minute: a hall behind one address, with a screen for each seat. */
const TIMELINES_PER_MINUTE = 6_000;
/** Polls that one stream may follow. */
const MAX_STREAM_POLLS = 50;

/** Results: once, as a stream, over time, ballot by ballot, and counted again. */
export function resultRoutes(context: Context): FastifyPluginAsyncTypebox {
  const { hub, results, operators, store } = context;
  const timelines = new Timelines(context.series);

  return async (app) => {
    app.get(
      '/api/polls/:poll/result',
      { schema: { summary: 'The result now', tags: ['results'], params: PollParams } },
      async (request) => {
        const poll = pollOr404(context, request.params.poll);
        const result = await results.result(poll);
        return operators.isOperator(request) ? result : publicResult(result, poll);
      },
    );

    app.get(
      '/api/polls/:poll/stream',
      { schema: { summary: 'The result as it moves (server-sent events)', tags: ['results'], params: PollParams } },
      async (request, reply) => stream(request, reply, [request.params.poll]),
    );

    app.get(
      '/api/stream',
      { schema: { summary: 'Several results as they move', tags: ['results'], querystring: StreamQuery } },
      async (request, reply) => {
        const polls = [...new Set(request.query.polls.split(',').map((poll) => poll.trim()))];
        if (polls.length > MAX_STREAM_POLLS) {
          throw new Problem(
            400,
            'too-many-polls',
            `one stream follows at most ${MAX_STREAM_POLLS} polls, not ${polls.length}`,
          );
        }
        return stream(request, reply, polls);
      },
    );

    app.get(
      '/api/polls/:poll/timeline',
      {
        config: { rateLimit: { max: TIMELINES_PER_MINUTE, timeWindow: '1 minute' } },
        schema: {
          summary: 'How the round went: votes and ballots by option, over time',
          tags: ['results'],
          params: PollParams,
        },
      },
      async (request) => {
        const poll = pollOr404(context, request.params.poll);
        const result = await results.result(poll);
        if (!operators.isOperator(request) && publicResult(result, poll).hidden) {
          throw new Problem(403, 'figures-hidden', `figures of poll ${request.params.poll} are not public now`);
        }
        return { poll: result.poll, round: result.round, ...(await timelines.read(poll)) };
      },
    );

    app.get(
      '/api/polls/:poll/ballots.csv',
      {
        onRequest: operators.required,
        schema: { summary: 'Every ballot of a round', tags: ['results'], params: PollParams, querystring: RoundQuery },
      },
      async ({ params, query }, reply) => {
        const poll = pollOr404(context, params.poll);
        const round = roundOf(poll, query.round);
        reply.type('text/csv; charset=utf-8');
        reply.header('content-disposition', `attachment; filename="${params.poll}-${round}.csv"`);
        return reply.send(Readable.from(ballotLines(store, params.poll, round)));
      },
    );

    app.post(
      '/api/polls/:poll/recount',
      {
        onRequest: operators.required,
        schema: {
          summary: 'Count a round again from the log and compare',
          tags: ['results'],
          params: PollParams,
          querystring: RoundQuery,
        },
      },
      async ({ params, query }) => recount(store, params.poll, roundOf(pollOr404(context, params.poll), query.round)),
    );
  };

  async function stream(request: FastifyRequest, reply: FastifyReply, polls: readonly string[]): Promise<void> {
    for (const poll of polls) pollOr404(context, poll);
    const audience = operators.isOperator(request) ? 'operator' : 'public';
    // A pipelined request has no line yet, and Node would never tell that it is gone.
    if (!reply.raw.socket) throw new Problem(400, 'pipelined', 'a stream needs a connection of its own');
    if (hub.isFull) throw new Problem(503, 'too-many-viewers', 'all places are taken; try again in a moment');
    reply.hijack();
    // Headers that plugins set for every answer belong on this one too; `hijack` skips them.
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value);
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    await hub.watch(reply.raw, polls, audience);
  }
}

function roundOf(poll: Poll, asked: number | undefined): number {
  const round = asked ?? poll.round;
  const first = (poll.retiredRounds ?? 0) + 1;
  if (round >= first && round <= poll.round) return round;
  const { poll: id } = poll.definition;
  if (poll.round === 0) throw new Problem(409, 'not-opened', `poll ${id} was never opened: there is nothing to count`);
  throw new Problem(404, 'no-such-round', `poll ${id} has rounds ${first} to ${poll.round}, not ${round}`);
}
