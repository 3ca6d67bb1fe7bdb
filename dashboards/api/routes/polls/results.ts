import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RecountAnswer, ResponsesAnswer, TimelineAnswer } from '../../../../client/answers.ts';
import type { Admitted } from '../../../../core/devices/credentials.ts';
import { readNames } from '../../../../core/devices/names.ts';
import { reachesRoom } from '../../../../core/operators/operator.ts';
import { Refusal } from '../../../../core/runtime/refusal.ts';
import type { Poll } from '../../../../core/voting/poll/poll.ts';
import { hasRightAnswer, leaderboardOf } from '../../../../core/voting/result/leaderboard.ts';
import { publicPart, visibleResult } from '../../../../core/voting/result/visibility.ts';
import { answersOf } from '../../../exports/ballots.ts';
import { responsesOf } from '../../../exports/responses.ts';
import { Timelines } from '../../../exports/timeline.ts';
import type { Admission } from '../../../sse/hub.ts';
import { startStream } from '../../../sse/opening/begin.ts';
import { audienceOf, beholderOf } from '../../audience.ts';
import { type Context, knownPoll } from '../../context.ts';
import { demandFinal, knownRound, openedRound } from '../../requested-round.ts';
import { PollParams, PollsQuery, RoundQuery, StreamQuery, StreamsQuery } from '../../schemas/params.ts';
import { sendTagged } from '../../tagged.ts';

/**
 * The number of timelines that one address may read per minute. It is high because a hall with a screen at each seat may share
 * one address.
 */
const TIMELINES_PER_MINUTE = 6_000;
/** The number of leaderboards that one address may read per minute. Each leaderboard reads every ballot of its questions. */
const LEADERBOARDS_PER_MINUTE = 120;
/** How often per minute one address may read who has answered. Each time, every ballot of the round is read. */
const RESPONSES_PER_MINUTE = 120;
/** The maximum number of polls that one stream or leaderboard may cover. */
const MAX_POLLS = 50;
const tags = ['results'];

/** Results: current, streamed, over time, as a leaderboard, and recounted. Also shows operators who has answered. */
export function resultRoutes(context: Context): FastifyPluginAsyncTypebox {
  const { hub, results, operators, operatorStreams, voterStreams, recorder, store, series, recounter, nicknames } =
    context;
  const timelines = new Timelines(series);
  const ofRound = { params: PollParams, querystring: RoundQuery };

  return async (app) => {
    app.get(
      '/api/polls/:poll/result',
      { schema: { summary: 'The current result, or that of an earlier round', tags, ...ofRound } },
      async (request, reply) => {
        const current = knownPoll(context, request.params.poll);
        const poll = request.query.round === undefined ? current : knownRound(current, request.query.round);
        const audience = await audienceOf(context, request, poll);
        const { json, etag } = await results.view(poll, audience);
        return sendTagged(request, reply, { json, etag, isPublic: audience === 'public' });
      },
    );

    app.get(
      '/api/polls/:poll/stream',
      {
        schema: {
          summary: 'The result as it changes (server-sent events)',
          tags,
          params: PollParams,
          querystring: StreamQuery,
        },
      },
      async (request, reply) => stream(request, reply, [request.params.poll]),
    );

    app.get(
      '/api/stream',
      { schema: { summary: 'Several results as they change (server-sent events)', tags, querystring: StreamsQuery } },
      async (request, reply) => stream(request, reply, listed(request.query.polls)),
    );

    app.get(
      '/api/leaderboard',
      {
        config: { perMinute: LEADERBOARDS_PER_MINUTE },
        schema: {
          summary: 'The leaderboard of players and teams over final quiz questions',
          tags,
          querystring: PollsQuery,
        },
      },
      async (request) => {
        const polls = listed(request.query.polls).map((id) => knownPoll(context, id));
        if (polls.length > 1 && polls.some(({ definition }) => definition.secrecy === 'pseudonymous')) {
          const why = 'pseudonyms differ from poll to poll, so a leaderboard cannot cover several pseudonymous polls';
          throw new Refusal('pseudonyms', why);
        }
        const questions = [];
        for (const poll of polls) {
          await demandLeaderboard(poll, operators.seesFigures(request, poll.definition.room));
          questions.push({ definition: poll.definition, answers: await answersOf(context, poll) });
        }
        // Pseudonyms must not be given names. They match no device, but this must not depend on that.
        const isNamed = polls.every(({ definition }) => (definition.secrecy ?? 'named') === 'named');
        const nameOf = isNamed ? await readNames(store.registry, nicknames) : undefined;
        return { polls: polls.map(({ definition }) => definition.poll), ...leaderboardOf(questions, nameOf) };
      },
    );

    app.get(
      '/api/polls/:poll/timeline',
      {
        config: { perMinute: TIMELINES_PER_MINUTE },
        schema: { summary: 'Votes, and ballots by option, over the course of a round', tags, ...ofRound },
      },
      async (request): Promise<TimelineAnswer> => {
        const current = knownPoll(context, request.params.poll);
        const poll = request.query.round === undefined ? current : knownRound(current, request.query.round);
        const result = await results.result(poll);
        if (visibleResult(result, poll, await audienceOf(context, request, poll)).hidden) throw hidden(poll);
        if (series?.isPublic && publicPart(poll, result.final) === 'nothing') throw notWritten(poll);
        return { poll: result.poll, round: result.round, ...(await timelines.read(poll)) };
      },
    );

    app.get(
      '/api/polls/:poll/responses',
      {
        config: { perMinute: RESPONSES_PER_MINUTE },
        schema: { summary: 'Who has answered, but not what', tags, params: PollParams },
      },
      async ({ params }): Promise<ResponsesAnswer> => {
        const poll = knownPoll(context, params.poll);
        if ((poll.definition.secrecy ?? 'named') !== 'named') {
          const why = `the ballots of poll ${params.poll} carry no names, so it is not known who has answered`;
          throw new Refusal('not-named', why);
        }
        return { poll: params.poll, round: poll.round, ...(await responsesOf(context, nicknames, poll)) };
      },
    );

    app.post(
      '/api/polls/:poll/recount',
      {
        schema: { summary: 'Recount a round from the log, and compare the outcome with its result', tags, ...ofRound },
      },
      async (request): Promise<RecountAnswer> => {
        const { params, query } = request;
        const poll = openedRound(knownPoll(context, params.poll), query.round);
        if (poll.definition.secrecy === 'secret') await demandFinal(results, poll);
        const answer = await recounter.count(poll, { series });
        recorder.note(request, { round: poll.round, after: { agrees: answer.agrees } });
        return answer;
      },
    );
  };

  /**
   * Leaderboard points reveal what each voter answered, so the poll must not be secret, and its result must be final and
   * visible. @throws Refusal no-quiz, secret-poll, not-final, figures-hidden
   */
  async function demandLeaderboard(poll: Poll, isForOperator: boolean): Promise<void> {
    const { poll: id, secrecy } = poll.definition;
    if (!hasRightAnswer(poll.definition)) {
      throw new Refusal('no-quiz', `poll ${id} has no right answer: leaderboards are for quiz questions`);
    }
    if (secrecy === 'secret') throw new Refusal('secret-poll', `poll ${id} is secret, so it has no leaderboard`);
    await demandFinal(results, poll);
    const visible = visibleResult(await results.result(poll), poll, isForOperator ? 'operator' : 'public');
    if (visible.hidden) throw hidden(poll);
  }

  async function stream(request: FastifyRequest, reply: FastifyReply, polls: readonly string[]): Promise<void> {
    const admissions = new Map<string, Admission>();
    const operator = operators.signedIn(request);
    let asVoter: Admitted | undefined;
    for (const id of polls) {
      const poll = knownPoll(context, id);
      const { audience, voter } = await beholderOf(context, request, poll);
      asVoter ??= voter;
      const isStillAllowed = ({ definition }: Poll) => operator !== undefined && reachesRoom(operator, definition.room);
      // The round of the same object: meanwhile, the next one may have begun.
      admissions.set(id, { audience, round: poll.round, ...(audience === 'operator' ? { isStillAllowed } : {}) });
    }
    const connection = startStream(request, reply, hub, { isOperator: operator !== undefined });
    if (!connection) return;
    operatorStreams.follow(operator, connection.socket);
    if (asVoter) voterStreams.follow(asVoter, connection.socket);
    await hub.watch(connection, admissions);
  }
}

function hidden({ definition }: Poll): Refusal {
  return new Refusal('figures-hidden', `results of poll ${definition.poll} are hidden for now`);
}

/** Even operators get no timeline then: others can read the series, so it is written only once everybody may see it. */
function notWritten({ definition }: Poll): Refusal {
  const why = `poll ${definition.poll} is for operators only, so its votes are not written to InfluxDB, where others could read them; the timeline begins once its visibility is changed`;
  return new Refusal('figures-hidden', why);
}

function listed(query: string): string[] {
  const polls = [...new Set(query.split(',').map((poll) => poll.trim()))];
  if (polls.length <= MAX_POLLS) return polls;
  throw new Refusal('too-many-polls', `at most ${MAX_POLLS} polls at once, not ${polls.length}`);
}
