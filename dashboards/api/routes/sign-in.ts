import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { SessionAnswer, SignInAnswer, SignInWaysAnswer } from '../../../client/answers.ts';
import { nameOf } from '../../../core/operators/operator.ts';
import { Refusal } from '../../../core/runtime/refusal.ts';
import { closed } from '../../../core/voting/rules/schema.ts';
import type { SignIn } from '../../oidc/sign-in.ts';
import type { Context } from '../context.ts';

/** How many sign-ins may begin, and how many may be completed, per minute and address: each asks the provider something. */
const SIGN_INS_PER_MINUTE = 60;
/** Parts of the operator’s page. As it begins with `#`, no address on another site is among them. */
const PAGE_PART = '^(#/[A-Za-z0-9_/.~%-]{0,200})?$';
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
  const { operators, operatorRegister: register, recorder } = context;

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
        config: { perMinute: SIGN_INS_PER_MINUTE },
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
        config: { perMinute: SIGN_INS_PER_MINUTE },
        schema: {
          summary: 'Complete a sign-in at the identity provider: begins a session, and returns its token, only once',
          tags,
          body: CompleteSchema,
        },
      },
      async (request, reply): Promise<SessionAnswer> => {
        const signIn = demandOwnPage(request, context.signIn);
        // Whatever comes of it, a sign-in is completed once.
        reply.header('set-cookie', signIn.forget);
        const { operator, token, returnTo } = await signIn.complete(
          request.body.query,
          request.headers.cookie,
          (person) => recorder.note(request, { who: { name: nameOf(person) } }),
        );
        const { operator: session, role, rooms, person, expiresAtMs = 0 } = operator;
        const expiresAt = new Date(expiresAtMs).toISOString();
        recorder.note(request, {
          ...(person ? { who: { name: nameOf(person), role } } : {}),
          target: `operator/${session}`,
          after: { issuer: person?.issuer, role, rooms: rooms ?? 'all', expiresAt },
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
