import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { NewOperatorAnswer, OperatorAnswer } from '../../../client/answers.ts';
import { isValidAt, nameOf, type Operator, ROLES } from '../../../core/operators/operator.ts';
import { Refusal } from '../../../core/runtime/refusal.ts';
import { closed, id, oneOf } from '../../../core/voting/rules/schema.ts';
import type { Context } from '../context.ts';

const tags = ['operators'];

const OperatorParams = Type.Object({ operator: id('the name of an operator') });
const expiresAt = Type.Unsafe<string | null>({
  type: ['string', 'null'],
  maxLength: 100,
  description: 'when the token stops working, as ISO 8601; null: never',
});
const NewOperatorSchema = closed({
  operator: id('the name'),
  role: oneOf(ROLES, 'what the operator may do'),
  rooms: Type.Optional(
    Type.Unsafe<readonly string[] | null>({
      type: ['array', 'null'],
      items: { type: 'string' },
      maxItems: 100,
      description: 'the rooms to which the role is limited; null: all rooms',
    }),
  ),
  expiresAt: Type.Optional(expiresAt),
});
const ExpirySchema = closed({ expiresAt });

/** Create, list, expire and revoke named operators. */
export function namedOperatorRoutes(context: Context): FastifyPluginAsyncTypebox {
  const { operators, operatorRegister: register, recorder } = context;

  return async (app) => {
    app.get(
      '/api/operators',
      { schema: { summary: 'All named operators, and the sessions of an identity provider', tags } },
      async () => ({
        operators: (await register.list()).map(describe),
      }),
    );

    app.post(
      '/api/operators',
      {
        schema: {
          summary: 'Create an operator with a token of their own, which is returned only once',
          tags,
          body: NewOperatorSchema,
        },
      },
      async (request, reply) => {
        const { operator: name, role, rooms, expiresAt: until } = request.body;
        recorder.note(request, { target: `operator/${name}` });
        const by = operators.demand(request).name;
        const wanted = { operator: name, role, rooms: rooms ?? undefined, expiresAtMs: msOf(until) };
        const { operator, token } = await register.create(wanted, by);
        recorder.note(request, { after: rightsOf(operator) });
        const answer: NewOperatorAnswer = { ...describe(operator), token };
        return reply.code(201).send(answer);
      },
    );

    app.patch(
      '/api/operators/:operator',
      {
        schema: {
          summary: 'Set when an operator’s token stops working',
          tags,
          params: OperatorParams,
          body: ExpirySchema,
        },
      },
      async (request) => {
        const { before, after } = await register.expire(request.params.operator, msOf(request.body.expiresAt));
        recorder.note(request, { before: rightsOf(before), after: rightsOf(after), isOneWrite: true });
        return describe(after);
      },
    );

    app.delete(
      '/api/operators/:operator',
      {
        schema: {
          summary: 'Revoke an operator: the token works no longer, and open streams end',
          tags,
          params: OperatorParams,
        },
      },
      async (request, reply) => {
        recorder.note(request, { before: rightsOf(await register.revoke(request.params.operator)) });
        return reply.code(204).send();
      },
    );
  };
}

function describe(operator: Operator): OperatorAnswer {
  const { operator: name, role, rooms, createdAtMs, createdBy, person } = operator;
  return {
    operator: name,
    role,
    rooms: rooms ?? null,
    createdAt: new Date(createdAtMs).toISOString(),
    createdBy,
    expiresAt: timeOf(operator),
    expired: !isValidAt(operator, Date.now()),
    person: person ?? null,
  };
}

/** What an operator may do and for how long, for the record. */
function rightsOf(operator: Operator): object {
  const whose = operator.person && { person: nameOf(operator.person), issuer: operator.person.issuer };
  return { ...whose, role: operator.role, rooms: operator.rooms ?? 'all', expiresAt: timeOf(operator) };
}

function timeOf({ expiresAtMs }: Operator): string | null {
  return expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString();
}

/** @throws Refusal bad-operator */
function msOf(time: string | null | undefined): number | undefined {
  if (time === null || time === undefined) return undefined;
  const ms = Date.parse(time);
  if (!Number.isNaN(ms)) return ms;
  throw new Refusal('bad-operator', 'expiresAt: expected a time as ISO 8601, such as 2030-01-31T18:00:00Z');
}
