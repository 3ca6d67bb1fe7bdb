import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { leaderboardOf } from '../../core/voting/leaderboard.ts';
import { inRound, type Poll } from '../../core/voting/poll.ts';
import { type Audience, visibleResult } from '../../core/voting/visibility.ts';
import { audienceOf } from '../audience.ts';
import { bundleLines } from '../audit.ts';
import { answersOf, ballotLines } from '../ballots.ts';
import { type Context, pollOr404 } from '../context.ts';
import { Problem } from '../problem.ts';
import { recount } from '../recount.ts';
import { reportLines } from '../report.ts';
import { responsesOf } from '../responses.ts';
import { PollParams, RoundQuery, StreamQuery } from '../schemas.ts';
import { beginStream } from '../sse/begin.ts';
import { Timelines } from '../timeline.ts';

/** Timelines one address may ask for per minute: a hall behind one address, with a screen for each seat. */
const TIMELINES_PER_MINUTE = 6_000;
/** Leaderboards one address may ask for per minute: each reads every ballot of its questions. */
const LEADERBOARDS_PER_MINUTE = 120;
/** Response grids one address may ask for per minute: each reads every ballot of the round. */
const RESPONSES_PER_MINUTE = 120;
/** Polls that one stream or leaderboard may follow. */
const MAX_POLLS = 50;

/** Results: once, as a stream, over time, ballot by ballot, and counted again. */
export function resultRoutes(context: Context): FastifyPluginAsyncTypebox {
  const { hub, results, operators, store } = context;
  const timelines = new Timelines(context.series);
  const ofRound = { params: PollParams, querystring: RoundQuery };

  return async (app) => {
    app.get(
      '/api/polls/:poll/result',
      { schema: { summary: 'The result now, or of an earlier round', tags: ['results'], ...ofRound } },
      async (request) => {
        const current = pollOr404(context, request.params.poll);
        const poll = request.query.round === undefined ? current : inRoundOr404(current, request.query.round);
        const audience = await audienceOf(context, request, poll);
        return visibleResult(await results.result(poll), poll, audience);
      },
    );

    app.get(
      '/api/polls/:poll/result.csv',
      {
        onRequest: operators.required,
        schema: { summary: 'The results of all rounds as a table', tags: ['results'], params: PollParams },
      },
      async ({ params }, reply) => {
        download(reply, `${params.poll}-results.csv`, 'text/csv; charset=utf-8');
        return reply.send(reportLines(await allRounds(pollOr404(context, params.poll))));
      },
    );

    app.get(
      '/api/polls/:poll/results',
      {
        onRequest: operators.required,
        schema: { summary: 'The poll and the results of all its rounds', tags: ['results'], params: PollParams },
      },
      async ({ params }) => {
        const poll = pollOr404(context, params.poll);
        return { definition: poll.definition, rounds: await allRounds(poll) };
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
      async (request, reply) => stream(request, reply, listed(request.query.polls)),
    );

    app.get(
      '/api/leaderboard',
      {
        config: { rateLimit: { max: LEADERBOARDS_PER_MINUTE, timeWindow: '1 minute' } },
        schema: {
          summary: 'Players and teams after several quiz questions that are final',
          tags: ['results'],
          querystring: StreamQuery,
        },
      },
      async (request) => {
        const isOperator = operators.isOperator(request);
        const polls = listed(request.query.polls).map((id) => pollOr404(context, id));
        if (polls.length > 1 && polls.some(({ definition }) => definition.secrecy === 'pseudonymous')) {
          throw new Problem(
            409,
            'pseudonyms',
            'pseudonyms differ from poll to poll: nobody can be told to be the same',
          );
        }
        const questions = [];
        for (const poll of polls) {
          await demandLeaderboard(poll, isOperator);
          questions.push({ definition: poll.definition, answers: await answersOf(store, poll) });
        }
        return { polls: polls.map(({ definition }) => definition.poll), ...leaderboardOf(questions) };
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
        if (visibleResult(result, poll, await audienceOf(context, request, poll)).hidden) {
          throw new Problem(403, 'figures-hidden', `figures of poll ${request.params.poll} are not to be seen now`);
        }
        return { poll: result.poll, round: result.round, ...(await timelines.read(poll)) };
      },
    );

    app.get(
      '/api/polls/:poll/responses',
      {
        onRequest: operators.required,
        config: { rateLimit: { max: RESPONSES_PER_MINUTE, timeWindow: '1 minute' } },
        schema: { summary: 'Who has answered, never what', tags: ['results'], params: PollParams },
      },
      async ({ params }) => {
        const poll = pollOr404(context, params.poll);
        if ((poll.definition.secrecy ?? 'named') !== 'named') {
          throw new Problem(
            403,
            'not-named',
            `ballots of poll ${params.poll} bear no names: nobody can tell who answered`,
          );
        }
        return { poll: params.poll, round: poll.round, ...(await responsesOf(store, poll)) };
      },
    );

    app.get(
      '/api/polls/:poll/ballots.csv',
      { onRequest: operators.required, schema: { summary: 'Every ballot of a round', tags: ['results'], ...ofRound } },
      async ({ params, query }, reply) => {
        const poll = roundOf(pollOr404(context, params.poll), query.round);
        if (poll.definition.secrecy === 'secret') {
          throw new Problem(403, 'secret-poll', `poll ${params.poll} is secret: its ballots are not told one by one`);
        }
        download(reply, `${params.poll}-${poll.round}.csv`, 'text/csv; charset=utf-8');
        return reply.send(Readable.from(ballotLines(store, params.poll, poll.round)));
      },
    );

    app.get(
      '/api/polls/:poll/audit',
      {
        onRequest: operators.required,
        schema: { summary: 'The audit bundle of a round: its log, hash-chained', tags: ['results'], ...ofRound },
      },
      async ({ params, query }, reply) => {
        const poll = roundOf(pollOr404(context, params.poll), query.round);
        await demandFinal(poll);
        download(reply, `${params.poll}-${poll.round}.audit.jsonl`, 'application/jsonl; charset=utf-8');
        return reply.send(Readable.from(bundleLines(store, poll)));
      },
    );

    app.post(
      '/api/polls/:poll/recount',
      {
        onRequest: operators.required,
        schema: { summary: 'Count a round again from the log and compare', tags: ['results'], ...ofRound },
      },
      async ({ params, query }) => {
        const poll = roundOf(pollOr404(context, params.poll), query.round);
        if (poll.definition.secrecy === 'secret') await demandFinal(poll);
        const found = await recount(store, context.series, poll, () => results.result(poll));
        // What people are shown is about the count; the series may be away.
        const agrees =
          found.isBalanced && found.differences.every((difference) => difference.startsWith('time series'));
        if ((await results.result(poll)).final) await context.recounts.note(params.poll, poll.round, agrees);
        return found;
      },
    );
  };

  /** Every round of the poll that is kept, oldest first. */
  async function allRounds(poll: Poll) {
    const found = [];
    for (let round = (poll.retiredRounds ?? 0) + 1; round <= poll.round; round++) {
      const then = inRound(poll, round);
      if (then) found.push(visibleResult(await results.result(then), then, 'operator'));
    }
    return found;
  }

  async function demandFinal(poll: Poll): Promise<void> {
    if ((await results.result(poll)).final) return;
    const { poll: id } = poll.definition;
    throw new Problem(409, 'not-final', `round ${poll.round} of poll ${id} is not final; close it, and look again`);
  }

  /** Points tell who answered what: only of named questions that are over. */
  async function demandLeaderboard(poll: Poll, isOperator: boolean): Promise<void> {
    const { poll: id, kind, answer, secrecy } = poll.definition;
    if (kind !== 'quiz' && answer === undefined) {
      throw new Problem(409, 'no-quiz', `poll ${id} has no right answer: leaderboards are of quiz questions`);
    }
    if (secrecy === 'secret') throw new Problem(403, 'secret-poll', `poll ${id} is secret: nobody has points in it`);
    await demandFinal(poll);
    const visible = visibleResult(await results.result(poll), poll, isOperator ? 'operator' : 'public');
    if (visible.hidden) throw new Problem(403, 'figures-hidden', `figures of poll ${id} are not to be seen now`);
  }

  async function stream(request: FastifyRequest, reply: FastifyReply, polls: readonly string[]): Promise<void> {
    const audiences = new Map<string, Audience>();
    for (const poll of polls) audiences.set(poll, await audienceOf(context, request, pollOr404(context, poll)));
    await hub.watch(beginStream(request, reply, hub), audiences);
  }
}

/** The poll as it stood in a round of its own. @throws Problem when there was none */
function roundOf(poll: Poll, asked: number | undefined): Poll {
  if (poll.round > 0) return inRoundOr404(poll, asked ?? poll.round);
  throw new Problem(409, 'not-opened', `poll ${poll.definition.poll} was never opened: there is nothing to count`);
}

function inRoundOr404(poll: Poll, round: number): Poll {
  const first = (poll.retiredRounds ?? 0) + 1;
  const found = round >= first ? inRound(poll, round) : undefined;
  if (found) return found;
  const { poll: id } = poll.definition;
  throw new Problem(404, 'no-such-round', `poll ${id} has rounds ${first} to ${poll.round}, not ${round}`);
}

function listed(query: string): string[] {
  const polls = [...new Set(query.split(',').map((poll) => poll.trim()))];
  if (polls.length <= MAX_POLLS) return polls;
  throw new Problem(400, 'too-many-polls', `at most ${MAX_POLLS} polls at once, not ${polls.length}`);
}

function download(reply: FastifyReply, name: string, type: string): void {
  reply.type(type);
  reply.header('content-disposition', `attachment; filename="${name}"`);
}
