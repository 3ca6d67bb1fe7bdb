import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { SessionAnswer, SignInAnswer, SignInWaysAnswer } from '../../../client/answers.ts';
import { PAGE_PART } from '../../../client/page-part.ts';
import { nameOf, type Operator, type Person } from '../../../core/operators/operator.ts';
import { Refusal } from '../../../core/runtime/refusal.ts';
import { closed } from '../../../core/voting/rules/schema.ts';
import type { SignIn } from '../../oidc/sign-in.ts';
import type { Context } from '../context.ts';

/**
 * How many sign-ins may be completed per minute and address: for each, the provider is asked. Only a browser with a sign-in of its own
 * under way spends one. Beginning one asks nothing of a provider that is known, and has no limit but that of all requests.
 */
const SIGN_INS_PER_MINUTE = 60;
/** The longest query with which a provider sends a browser back. */
const MAX_QUERY_LENGTH = 8_000;
const tags = ['operators'];

const BeginSchema = closed({
  returnTo: Type.Optional(
    Type.String({
      pattern: PAGE_PART,
      description: 'the part of the operator’s page to return to, such as `#/polls/q`',
    }),
  ),
});
const CompleteSchema = closed({
  query: Type.String({
    maxLength: MAX_QUERY_LENGTH,
    description: 'the query with which the identity provider sent the browser back to `/signed-in`',
  }),
});

/** Sign-in at an identity provider, and sign-out. */
export function signInRoutes(context: Context): FastifyPluginAsyncTypebox {
  const { operators, operatorRegister: register, recorder, budgets } = context;

  return async (app) => {
    app.get(
      '/api/sign-in',
      { schema: { summary: 'How operators can sign in, other than with a token', tags } },
      async (): Promise<SignInWaysAnswer> => {
        const { name, publicUrl } = context.signIn?.settings ?? {};
        return { provider: name === undefined || publicUrl === undefined ? null : { name, address: publicUrl } };
      },
    );

    app.post(
      '/api/sign-in',
      {
        schema: {
          summary: 'Begin a sign-in at the identity provider: sets a cookie, and returns the address to go to',
          tags,
          body: BeginSchema,
        },
      },
      async (request, reply): Promise<SignInAnswer> => {
        const signIn = demandOwnPage(request, context.signIn);
        const { address, cookie } = await signIn.begin(request.body.returnTo ?? '');
        reply.header('set-cookie', cookie);
        return { address };
      },
    );

    app.post(
      '/api/sign-in/complete',
      {
        schema: {
          summary: 'Complete a sign-in at the identity provider: begins a session, and returns its token, only once',
          tags,
          body: CompleteSchema,
        },
      },
      async (request, reply): Promise<SessionAnswer> => {
        const signIn = demandOwnPage(request, context.signIn);
        const { operator, token, returnTo, displaced } = await signIn.complete(
          request.body.query,
          request.headers.cookie,
          {
            onMatch: () => {
              budgets.demandDear(request, SIGN_INS_PER_MINUTE);
              // Whatever comes of it, a sign-in is completed once.
              reply.header('set-cookie', signIn.forget);
            },
            onKnown: (person) => recorder.note(request, { who: whoIs(person) }),
          },
        );
        const { operator: session, role, rooms, person, expiresAtMs = 0 } = operator;
        const expiresAt = new Date(expiresAtMs).toISOString();
        recorder.note(request, {
          ...(person ? { who: { ...whoIs(person), role } } : {}),
          target: `operator/${session}`,
          after: { issuer: person?.issuer, role, rooms: rooms ?? 'all', expiresAt, ...endedBy(displaced) },
        });
        return { token, returnTo, expiresAt };
      },
    );

    app.delete(
      '/api/session',
      { schema: { summary: 'Sign out: ends the session whose token the request has', tags } },
      async (request, reply) => {
        const { session } = operators.demand(request);
        if (session === undefined) {
          throw new Refusal(
            'no-session',
            'only sessions of the identity provider end by signing out; other tokens are revoked by an admin',
          );
        }
        recorder.note(request, { target: `operator/${session}` });
        await register.revoke(session);
        return reply.code(204).send();
      },
    );
  };
}

/** A person in records. */
function whoIs(person: Person): { readonly name: string; readonly issuer: string } {
  return { name: nameOf(person), issuer: person.issuer };
}

/** The sessions of others that ended because there were too many, for the record. */
function endedBy(displaced: readonly Operator[]): { readonly ended?: readonly string[] } {
  return displaced.length === 0 ? {} : { ended: displaced.map(({ operator }) => operator) };
}

/**
 * Sign-ins begin and end in our own pages, at the public address: there is the cookie, and there the provider sends browsers back to.
 *
 * @throws Refusal no-sign-in, foreign-page
 */
function demandOwnPage({ headers: { origin } }: FastifyRequest, signIn: SignIn | undefined): SignIn {
  if (!signIn) {
    throw new Refusal('no-sign-in', 'there is no identity provider (POLLCAST_OIDC_ISSUER); sign in with a token');
  }
  const { name, publicUrl } = signIn.settings;
  if (origin === new URL(publicUrl).origin) return signIn;
  throw new Refusal(
    'foreign-page',
    `open ${publicUrl}/ to sign in with ${name}; other addresses cannot be used for it`,
  );
}
