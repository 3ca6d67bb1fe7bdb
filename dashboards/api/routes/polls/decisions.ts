import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import * as Type from 'typebox';
import { Decisions } from '../../../../core/rounds/decisions.ts';
import { MAX_OPTIONS } from '../../../../core/voting/rules/option.ts';
import type { Context } from '../../context.ts';
import { permitOf } from '../../permissions/permissions.ts';
import { pollView } from '../../poll-view.ts';
import { PollParams } from '../../schemas/params.ts';

const tags = ['polls'];

const LotBody = Type.Object(
  {
    order: Type.Array(Type.String(), {
      maxItems: MAX_OPTIONS,
      description: 'the keys of the undecided options in the order drawn; of tied options, the one drawn first wins',
    }),
  },
  { additionalProperties: false },
);
const WithdrawalBody = Type.Object(
  { option: Type.String({ description: 'its key' }) },
  { additionalProperties: false },
);

/** Decisions about a final round: lots drawn between level options, and options that were withdrawn. Operators only. */
export function decisionRoutes(context: Context): FastifyPluginAsyncTypebox {
  const decisions = new Decisions(context);
  const { operators, recorder } = context;

  return async (app) => {
    app.post(
      '/api/polls/:poll/draws',
      {
        schema: {
          summary: 'Enter a lot that was drawn between undecided options',
          tags,
          params: PollParams,
          body: LotBody,
        },
      },
      async (request, reply) => {
        const { params, body } = request;
        const poll = await decisions.enterLot(params.poll, body.order, permitOf(context, request));
        recorder.note(request, { round: poll.round, after: body });
        return reply.code(201).send(pollView(operators, request, poll));
      },
    );

    app.post(
      '/api/polls/:poll/withdrawals',
      {
        schema: {
          summary: 'Withdraw an option after voting: it keeps its figures, but cannot win',
          tags,
          params: PollParams,
          body: WithdrawalBody,
        },
      },
      async (request, reply) => {
        const { params, body } = request;
        const poll = await decisions.withdrawOption(params.poll, body.option, permitOf(context, request));
        recorder.note(request, { round: poll.round, after: body });
        return reply.code(201).send(pollView(operators, request, poll));
      },
    );
  };
}
