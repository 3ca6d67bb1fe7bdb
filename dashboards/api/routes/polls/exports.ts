import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { etagOf } from '../../../../core/live/views.ts';
import { Refusal } from '../../../../core/runtime/refusal.ts';
import { firstRound, type Poll, pollInRound } from '../../../../core/voting/poll/poll.ts';
import { bundleLines } from '../../../exports/audit.ts';
import { ballotTable } from '../../../exports/ballots.ts';
import { resultTable } from '../../../exports/result-table.ts';
import { type Context, knownPoll } from '../../context.ts';
import { demandSettled, openedRound } from '../../requested-round.ts';
import { PollParams, RoundQuery } from '../../schemas/params.ts';
import { sendTagged } from '../../tagged.ts';

const CSV = 'text/csv; charset=utf-8';
const tags = ['exports'];

/** Downloads of results, ballots and audit bundles. Operators only. */
export function exportRoutes(context: Context): FastifyPluginAsyncTypebox {
  const { results, recorder } = context;
  const ofRound = { params: PollParams, querystring: RoundQuery };

  return async (app) => {
    app.get(
      '/api/polls/:poll/result.csv',
      { schema: { summary: 'The results of all rounds as a table', tags, params: PollParams } },
      async (request, reply) => {
        const { params } = request;
        recorder.note(request, { after: { exported: 'results' } });
        download(reply, `${params.poll}-results.csv`, CSV);
        return reply.send(resultTable((await allRounds(knownPoll(context, params.poll))).map(({ result }) => result)));
      },
    );

    app.get(
      '/api/polls/:poll/results',
      { schema: { summary: 'The poll and the results of all its rounds', tags, params: PollParams } },
      async (request, reply) => {
        const poll = knownPoll(context, request.params.poll);
        const rounds = (await allRounds(poll)).map(({ json }) => json);
        const json = `{"definition":${JSON.stringify(poll.definition)},"rounds":[${rounds.join(',')}]}`;
        return sendTagged(request, reply, { json, etag: etagOf(json), isPublic: false });
      },
    );

    app.get(
      '/api/polls/:poll/ballots.csv',
      { schema: { summary: 'Every ballot of a round', tags, ...ofRound } },
      async (request, reply) => {
        const { params, query } = request;
        const poll = openedRound(knownPoll(context, params.poll), query.round);
        recorder.note(request, { round: poll.round, after: { exported: 'ballots' } });
        if (poll.definition.secrecy === 'secret') {
          throw new Refusal(
            'secret-poll',
            `poll ${params.poll} is secret, so its individual ballots cannot be exported`,
          );
        }
        download(reply, `${params.poll}-${poll.round}.csv`, CSV);
        return reply.send(Readable.from(ballotTable(context, params.poll, poll.round)));
      },
    );

    app.get(
      '/api/polls/:poll/audit',
      { schema: { summary: 'The audit bundle of a round: its hash-chained log', tags, ...ofRound } },
      async (request, reply) => {
        const { params, query } = request;
        const poll = openedRound(knownPoll(context, params.poll), query.round);
        recorder.note(request, { round: poll.round, after: { exported: 'audit bundle' } });
        await demandSettled(results, poll);
        download(reply, `${params.poll}-${poll.round}.audit.jsonl`, 'application/jsonl; charset=utf-8');
        return reply.send(Readable.from(bundleLines(context, poll)));
      },
    );
  };

  /** The results of all recorded rounds, oldest first. */
  async function allRounds(poll: Poll) {
    const found = [];
    for (let round = firstRound(poll); round <= poll.round; round++) {
      const then = pollInRound(poll, round);
      if (then) found.push(await results.view(then, 'operator'));
    }
    return found;
  }
}

function download(reply: FastifyReply, name: string, type: string): void {
  reply.type(type);
  reply.header('content-disposition', `attachment; filename="${name}"`);
}
