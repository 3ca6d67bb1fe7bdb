import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { GuestAnswer } from '../../../client/answers.ts';
import type { KeptGuest } from '../../../core/devices/nicknames.ts';
import { Refusal } from '../../../core/runtime/refusal.ts';
import { closed, id } from '../../../core/voting/rules/schema.ts';
import { MAX_NICKNAME_LENGTH } from '../../../core/voting/rules/text/nickname.ts';
import { credentialsOf } from '../audience.ts';
import type { Context } from '../context.ts';

/**
 * How often per minute guests of one address may read or change their nicknames. It is high because everybody in a hall may
 * share the address of its router.
 */
const NICKNAMES_PER_MINUTE = 600;
const tags = ['guests'];
const limited = { perMinute: NICKNAMES_PER_MINUTE };

const GuestParams = Type.Object({ guest: id('the id of a guest') });
const NicknameSchema = closed({
  nickname: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    maxLength: 1_000,
    description: `at most ${MAX_NICKNAME_LENGTH} characters; null removes it`,
  }),
});
const ModerationSchema = closed({
  blocked: Type.Boolean({ description: 'whether the guest may no longer set a nickname' }),
});

/** Guests set their own nickname; operators list, remove and block nicknames, and revoke guests. */
export function guestRoutes({ guests, nicknames, recorder }: Context): FastifyPluginAsyncTypebox {
  /** The guest that sends the request. @throws Refusal wrong-credentials */
  const guestOf = async (request: FastifyRequest): Promise<string> => {
    const [guest, secret] = credentialsOf(request) ?? ['', ''];
    if (await guests.verify(guest, secret)) return guest;
    throw new Refusal('wrong-credentials', 'guests only: send the credentials of a guest (`Authorization: Basic …`)');
  };

  return async (app) => {
    app.get(
      '/api/guests/me',
      { config: limited, schema: { summary: 'The nickname of the guest that asks', tags } },
      async (request) => {
        const guest = await guestOf(request);
        return describe(guest, await nicknames.of(guest));
      },
    );

    app.put(
      '/api/guests/me',
      {
        config: limited,
        schema: { summary: 'Set or remove the nickname of the guest that asks', tags, body: NicknameSchema },
      },
      async (request) => {
        const guest = await guestOf(request);
        return describe(guest, await nicknames.set(guest, request.body.nickname));
      },
    );

    app.get(
      '/api/guests',
      {
        schema: { summary: 'Guests that have a nickname, or are blocked from setting one', tags },
      },
      async () => {
        const kept = [...(await nicknames.all())].map(([guest, one]) => describe(guest, one));
        return { guests: kept.sort((a, b) => (a.nickname ?? '').localeCompare(b.nickname ?? '')) };
      },
    );

    app.patch(
      '/api/guests/:guest',
      {
        schema: {
          summary: 'Remove a guest’s nickname, and decide whether the guest may set another',
          tags,
          params: GuestParams,
          body: ModerationSchema,
        },
      },
      async (request) => {
        const { guest } = request.params;
        const { blocked } = request.body;
        const before = describe(guest, await nicknames.of(guest));
        const after = describe(guest, await nicknames.moderate(guest, blocked));
        recorder.note(request, { before, after });
        return after;
      },
    );

    app.delete(
      '/api/guests/:guest',
      {
        schema: {
          summary: 'Revoke a guest: it is disconnected, and its credentials are void',
          tags,
          params: GuestParams,
        },
      },
      async ({ params: { guest } }, reply) => {
        await guests.revoke(guest);
        await nicknames.moderate(guest, false);
        return reply.code(204).send();
      },
    );

    app.delete(
      '/api/guests',
      {
        schema: { summary: 'Revoke the guests and join codes of all rooms', tags },
      },
      async (_request, reply) => {
        await guests.revokeAll();
        return reply.code(204).send();
      },
    );
  };
}

function describe(guest: string, { nickname, isBlocked }: KeptGuest): GuestAnswer {
  return { guest, nickname: nickname ?? null, blocked: isBlocked === true };
}
